import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../../core/errors.ts';
import {
  diffOpinions,
  parseExpected,
  writeExpected,
  type ExpectedOpinion,
} from '../../../core/cli/plugins/expected-opinions.ts';

const example = path.resolve(
  import.meta.dirname,
  '../../../contrib/examples/plugin/known-sticks/test/storage.expected.toml',
);
const held: ExpectedOpinion = {
  device: '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0',
  module: 'usb_storage',
  verdict: 'hold',
  reason: 'USB storage of vendor 0781 is not known here',
};

test('the example that comes along is read, and written as it is', t => {
  const text = readFileSync(example, 'utf8');
  t.deepEqual(parseExpected(text, example), [held]);
  t.is(writeExpected('storage.uevents', [held]), text);
});

test('a file that was cut off is refused with its place', t => {
  const text = readFileSync(example, 'utf8');
  t.throws(() => parseExpected(text.slice(0, -5), 'x.toml'), {
    instanceOf: UsherdError,
    message: /^x\.toml:\d+:\d+: not TOML/,
  });
  t.throws(() => parseExpected('', 'x.toml'), { message: 'x.toml: wanted a list "opinions", one table for each' });
});

test('tables with too little, too much or other than texts are refused', t => {
  const wrong = [
    '[[opinions]]\ndevice = "/devices/x"',
    '[[opinions]]\ndevice = 5',
    'opinions = [1]',
    'opinions = "none"',
  ];
  for (const text of wrong) t.throws(() => parseExpected(text, 'x.toml'), { instanceOf: UsherdError }, text);
  const surplus = `${writeExpected('x', [held])}extra = "1"\n`;
  t.throws(() => parseExpected(surplus, 'x.toml'), {
    message: /opinions 1: wanted device, module, verdict and reason/,
  });
});

test('whatever was said is read back as it was, and anything else is refused or read', t => {
  const line = fc.string({ unit: 'grapheme' });
  const basis = fc.record({ device: line, module: line, verdict: line, reason: line });
  const said = fc.oneof(
    basis,
    fc.tuple(basis, line).map(([opinion, replacement]) => ({ ...opinion, replacement })),
  );
  fc.assert(
    fc.property(fc.array(said), opinions => {
      t.deepEqual(
        parseExpected(writeExpected('r', opinions), 'x.toml'),
        opinions.map(({ device, module, verdict, reason, ...more }) => ({ device, module, verdict, ...more, reason })),
      );
    }),
  );
  fc.assert(
    fc.property(fc.string(), text => {
      try {
        parseExpected(text, 'x.toml');
      } catch (error) {
        if (!(error instanceof UsherdError)) throw error;
      }
    }),
  );
});

test('a difference has what was expected, what was said, and what is the same, in order', t => {
  const at = (module: string, verdict: string): ExpectedOpinion => ({
    ...held,
    device: '/d',
    module,
    verdict,
    reason: 'so',
  });
  t.deepEqual(diffOpinions([held], [held]), []);
  t.deepEqual(
    diffOpinions(
      [at('a', 'deny'), at('b', 'deny'), at('c', 'hold')],
      [at('b', 'deny'), at('c', 'deny'), at('d', 'hold')],
    ),
    ['- /d a: deny, so', '  /d b: deny, so', '- /d c: hold, so', '+ /d c: deny, so', '+ /d d: hold, so'],
  );
  t.deepEqual(diffOpinions([], [{ ...at('a', 'replace'), replacement: 'b' }]), ['+ /d a: replace by b, so']);
});

test('the lines of a difference without + are what was expected, those without - what was said', t => {
  const opinion = fc.constantFrom('a', 'b', 'c').map(module => ({ ...held, module }));
  fc.assert(
    fc.property(fc.array(opinion), fc.array(opinion), (wanted, found) => {
      const lines = diffOpinions(wanted, found);
      const side = (sign: string): readonly string[] =>
        lines.filter(line => !line.startsWith(sign)).map(line => line.slice(2));
      const texts = (list: readonly ExpectedOpinion[]): readonly string[] =>
        list.map(({ device, module, verdict, reason }) => `${device} ${module}: ${verdict}, ${reason}`);
      if (lines.length === 0) t.deepEqual(wanted, found);
      else t.deepEqual([side('+'), side('-')], [texts(wanted), texts(found)]);
    }),
  );
});
