import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import test from 'ava';
import { compileHotCode } from '../../core/kernel/compiling.ts';

/** Far more calls than V8's cheapest compiler waits for. */
const CALLS = 100_000;
/** Far more turns than that takes. */
const TURNS_MAX = 10_000;

test('a function that is called often is compiled only where that is wanted', async t => {
  setFlagsFromString('--allow-natives-syntax');
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- only V8's own syntax tells how a function is run
  const isInterpreted = new Function('f', 'return %ActiveTierIsIgnition(f)') as (f: unknown) => boolean;
  setFlagsFromString('--no-allow-natives-syntax');
  const add = (a: number, b: number): number => a + b;
  const call = (): void => {
    for (let n = 0; n < CALLS; n++) add(n, 1);
  };
  compileHotCode(false);
  call();
  t.true(isInterpreted(add));
  compileHotCode(true);
  // It is compiled on a thread, which a busy machine may leave waiting.
  for (let turn = 0; turn < TURNS_MAX && isInterpreted(add); turn++) {
    call();
    await nextTurn();
  }
  t.false(isInterpreted(add));
});
