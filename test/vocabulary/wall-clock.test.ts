import test from 'ava';
import { wallClock } from '../../core/vocabulary/wall-clock.ts';

test('a moment has a fraction, follows the time being set, and is right again after the machine slept', t => {
  let [wall, monotonic] = [1_000_000, 50];
  // The wall clock tells whole milliseconds only.
  const clock = wallClock(
    () => Math.floor(wall),
    () => monotonic,
    wall - monotonic,
  );
  const pass = (wallMs: number, monotonicMs = wallMs): number => {
    wall += wallMs;
    monotonic += monotonicMs;
    return clock() - Math.floor(wall);
  };
  t.is(pass(0.25), 0.25);
  t.is(pass(2.5), 0.75);
  t.is(pass(3_600_000, 10), 0, 'an hour asleep');
  t.is(pass(-86_400_000, 1), 0, 'set back by a day');
  t.is(pass(0.5), -0.5);
});
