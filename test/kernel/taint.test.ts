import test from 'ava';
import { decodeTaint, TAINT_FLAGS } from '../../core/kernel/taint.ts';

test('a taint is the letters of its bits, lowest first', t => {
  const letters = (mask: bigint): string =>
    decodeTaint(mask)
      .map(({ letter }) => letter)
      .join('');
  t.is(letters(0n), '');
  t.is(letters(4097n), 'PO');
  t.is(letters(12_289n), 'POE');
  t.is(letters((1n << 20n) - 1n), 'PFSRMBUDAWCIOELKXTNJ');
  t.is(letters(1n << 40n), '?');
});

test('each flag stands at its bit', t => {
  t.deepEqual(
    TAINT_FLAGS.map(({ bit }) => bit),
    TAINT_FLAGS.map((_, i) => i),
  );
});
