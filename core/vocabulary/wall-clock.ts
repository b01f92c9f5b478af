/** So far the two clocks may be apart before the finer one is set again: whole milliseconds and a turn of the event loop between two readings. */
const DRIFT_MAX_MS = 5;

/**
 * Makes a clock: milliseconds since 1970 with a fraction. The monotonic clock gives the fraction; it stands still while the machine is
 * suspended, and nobody sets it when the time is set, so it is put right by the wall clock whenever the two have come apart. `originMs`
 * is what the one told when the other was 0.
 */
export function wallClock(wallMs: () => number, monotonicMs: () => number, originMs: number): () => number {
  let origin = originMs;
  return () => {
    const [wall, monotonic] = [wallMs(), monotonicMs()];
    if (Math.abs(origin + monotonic - wall) > DRIFT_MAX_MS) origin = wall - monotonic;
    return origin + monotonic;
  };
}

/** When something is now, in milliseconds since 1970 with a fraction. */
export const wallClockMs = wallClock(Date.now, () => performance.now(), performance.timeOrigin);
