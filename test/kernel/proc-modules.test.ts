import test from 'ava';
import * as fc from 'fast-check';
import { parseProcModules } from '../../core/kernel/proc-modules.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';

const TEXT = `nvidia 39059456 412 nvidia_uvm,nvidia_modeset, Live 0xffffffffc0e00000 (POE)
snd_hda_codec 188416 1 snd_hda_intel, Live 0xffffffffc0a3d000
fuse 176128 3 - Loading 0x0000000000000000
ipv6 557056 24 [permanent], Live 0xffffffffc07d0000 (E+)
old 4096 - - Unloading 0xffffffffc0000000
`;

test('each line of /proc/modules is a module, with what holds it and how it taints', t => {
  const { modules, problems } = parseProcModules(TEXT, 'modules');
  t.deepEqual(problems, []);
  t.deepEqual(
    modules.map(({ name, sizeBytes, refcnt, holders, isPermanent, state, taint }) => [
      name,
      sizeBytes,
      refcnt,
      holders,
      isPermanent,
      state,
      taint,
    ]),
    [
      [moduleName('nvidia'), 39_059_456, 412, ['nvidia_uvm', 'nvidia_modeset'].map(moduleName), false, 'Live', 'POE'],
      [moduleName('snd_hda_codec'), 188_416, 1, [moduleName('snd_hda_intel')], false, 'Live', ''],
      [moduleName('fuse'), 176_128, 3, [], false, 'Loading', ''],
      [moduleName('ipv6'), 557_056, 24, [], true, 'Live', 'E+'],
      [moduleName('old'), 4096, -1, [], false, 'Unloading', ''],
    ],
  );
});

test('a line that is cut off anywhere is a module or named, and the others count', t => {
  const [first = ''] = TEXT.split('\n');
  for (let length = 1; length < first.length; length++) {
    const { modules, problems } = parseProcModules(`${first.slice(0, length)}\n${TEXT}`, 'modules');
    t.is(modules.length + problems.length, 6);
    t.true(problems.every(({ place }) => place.line === 1));
  }
});

test('any text is read to its end', t => {
  const word = fc.constantFrom('a', '1', '-', '-1', 'Live', '0xff', '(OE)', '[permanent],', ' ', '\n', 'x,y,');
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 3 }))), words => {
      const text = words.join(' ');
      const { modules, problems } = parseProcModules(text, 'modules');
      t.is(modules.length + problems.length, text.split('\n').filter(line => line !== '').length);
    }),
  );
});
