/**
 * Milliseconds with a fraction since some moment that stays the same while the machine runs; nobody sets this clock. It is what
 * performance.now() tells, for which Node loads 4 ms of code.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
