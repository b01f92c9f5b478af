import { monotonicMs } from './monotonic-clock.ts';

/** Two readings further apart do not belong together: the process did not run in between. */
const READING_MAX_MS = 0.05;

/**
 * Makes a clock: milliseconds since 1970 with a fraction, which is the monotonic clock's. That one stands still while the machine is
 * suspended, and nobody sets it when the time is set; so it is put right whenever it disagrees with the wall clock, which tells whole
 * milliseconds. `originMs` is what the one tells when the other is 0, as far as is known: each reading makes it more exact.
 */
export function wallClock(wallMs: () => number, steadyMs: () => number, originMs: number): () => number {
  let origin = originMs;
  return () => {
    const before = steadyMs();
    const wall = wallMs();
    const after = steadyMs();
    if (after - before < READING_MAX_MS) {
      if (origin + after < wall) origin = wall - after;
      else if (origin + before >= wall + 1) origin = wall + 1 - after;
    }
    return origin + after;
  };
}

/** When something is now, in milliseconds since 1970 with a fraction. */
export const wallClockMs = wallClock(Date.now, monotonicMs, Date.now() - monotonicMs());
