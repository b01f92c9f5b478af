import * as fc from 'fast-check';
import test from 'ava';
import { parseWords, type OptionRow } from '../../../core/cli/kmod/getopt.ts';

const ROWS: readonly OptionRow[] = [
  { name: 'all', short: 'a', long: ['all'], help: '' },
  { name: 'show', short: 'n', long: ['dry-run', 'show'], help: '' },
  { name: 'show-config', short: 'c', long: ['show-config'], help: '' },
  { name: 'config', short: 'C', long: ['config'], value: 'FILE', help: '' },
  { name: 'ours', long: ['shown'], help: '', isOurs: true },
  { name: 'root', long: ['root'], value: 'DIR', help: '', isOurs: true },
];

test('options may stand anywhere, letters in groups, long names as far as they are unique', t => {
  t.deepEqual(parseWords(['x', '-anC', 'file', 'y', '--dry', '--conf=f2', '-Cf3', '--', '-a', 'z'], ROWS), {
    given: [
      { name: 'all', value: undefined },
      { name: 'show', value: undefined },
      { name: 'config', value: 'file' },
      { name: 'show', value: undefined },
      { name: 'config', value: 'f2' },
      { name: 'config', value: 'f3' },
    ],
    operands: ['x', 'y', '-a', 'z'],
    refusal: undefined,
  });
});

test('an exact name wins over those it is the beginning of, and options of ours are no competitors', t => {
  t.deepEqual(parseWords(['--show'], ROWS).given, [{ name: 'show', value: undefined }]);
  t.deepEqual(parseWords(['--shown'], ROWS).given, [{ name: 'ours', value: undefined }]);
  t.deepEqual(parseWords(['--show-'], ROWS).given, [{ name: 'show-config', value: undefined }]);
  t.is(parseWords(['--roo', 'x'], ROWS).refusal, "unrecognized option '--roo'");
});

test('with a strict tool the first operand ends the options', t => {
  t.deepEqual(parseWords(['-a', 'list', '-n'], ROWS, true), {
    given: [{ name: 'all', value: undefined }],
    operands: ['list', '-n'],
    refusal: undefined,
  });
});

test('reading stops at what is not understood, and what stood before it was read', t => {
  t.deepEqual(parseWords(['-a', '-x', '-n'], ROWS), {
    given: [{ name: 'all', value: undefined }],
    operands: [],
    refusal: "invalid option -- 'x'",
  });
});

test('any words are taken apart or refused, and no operand is lost or made up', t => {
  const word = fc.oneof(
    fc.constantFrom('-a', '-n', '-C', '--config', '--config=', '--show', '--', '-', '-anC', '--all=1', '-é', '--=', ''),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), words => {
      const { given, operands, refusal } = parseWords(words, ROWS);
      const names = new Set(ROWS.map(({ name }) => name));
      if (!given.every(({ name }) => names.has(name))) return false;
      if (!operands.every(operand => words.includes(operand))) return false;
      return refusal === undefined || refusal.length > 0;
    }),
  );
  t.pass();
});
