import test from 'ava';
import * as fc from 'fast-check';
import { LineReader } from '../../core/ipc/line-reader.ts';

test('lines come out whole however the bytes are cut, also within a sign of several bytes', t => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).filter(text => !text.includes('\n'));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 })), (lines, cuts) => {
      const bytes = Buffer.from(lines.map(each => `${each}\n`).join(''));
      const reader = new LineReader(1000);
      const got: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        const found = reader.push(bytes.subarray(at, at + cut));
        got.push(...(found === 'too-long' ? ['too long'] : found));
        at += cut;
      }
      t.deepEqual(
        got,
        lines.map(each => Buffer.from(each).toString('utf8')),
      );
      t.is(reader.heldBytes, 0);
    }),
  );
});

test('a line over the bound is refused, whether it ends or not, and one at the bound is taken', t => {
  t.deepEqual(new LineReader(4).push(Buffer.from('abcd\nef')), ['abcd']);
  t.is(new LineReader(4).push(Buffer.from('abcde\n')), 'too-long');
  const reader = new LineReader(4);
  t.deepEqual(reader.push(Buffer.from('abc')), []);
  t.is(reader.heldBytes, 3);
  t.is(reader.push(Buffer.from('de')), 'too-long');
});
