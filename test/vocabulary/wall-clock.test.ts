import test from 'ava';
import * as fc from 'fast-check';
import { wallClock } from '../../core/vocabulary/wall-clock.ts';

/** A machine whose two clocks go apart when it sleeps or its time is set; the wall clock tells whole milliseconds only. */
function machine(wall = 1_000_000.4, monotonic = 50) {
  const now = { wall, monotonic };
  const pass = (wallMs: number, monotonicMs = wallMs): void => {
    now.wall += wallMs;
    now.monotonic += monotonicMs;
  };
  const clock = (originMs: number): (() => number) =>
    wallClock(
      () => Math.floor(now.wall),
      () => now.monotonic,
      originMs,
    );
  return { now, pass, clock };
}

test('a moment has a fraction, follows the time being set, and is right again after the machine slept', t => {
  const { now, pass, clock } = machine();
  const told = clock(now.wall - now.monotonic);
  const errorAfter = (wallMs: number, monotonicMs = wallMs): number => {
    pass(wallMs, monotonicMs);
    return Math.round((told() - now.wall) * 1000) / 1000;
  };
  t.deepEqual([errorAfter(0.25), errorAfter(2.5), errorAfter(1e6)], [0, 0, 0]);
  t.true(Math.abs(errorAfter(3_600_000, 10)) <= 1, 'an hour asleep');
  t.true(Math.abs(errorAfter(-86_400_000, 1)) <= 1, 'set back by a day');
});

test('whatever was thought at first, it is never more than a millisecond wrong, and each reading makes it more exact', t => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), error => {
      const { now, pass, clock } = machine();
      const told = clock(now.wall - now.monotonic + error);
      const errors: number[] = [];
      // Steps that are no part of a millisecond come by all its parts.
      for (let n = 0; n < 200; n++) {
        pass(0.731);
        errors.push(Math.abs(told() - now.wall));
      }
      return Math.max(...errors) <= 1.001 && (errors.at(-1) ?? 1) < 0.02;
    }),
  );
  t.pass();
});

test('two readings between which the process did not run are not compared', t => {
  let readings = 0;
  // The second reading of the monotonic clock comes three milliseconds late.
  const told = wallClock(
    () => 1000,
    () => (readings++ === 0 ? 0 : 3),
    1000.5,
  );
  t.is(told(), 1003.5);
});
