import { monotonicMs } from '../vocabulary/monotonic-clock.ts';

/** How a hook has done since its plugin was started. */
export interface HookStats {
  readonly calls: number;
  readonly failures: number;
  /** From the call to its answer, in microseconds, all calls together. */
  readonly totalUs: number;
  readonly maxUs: number;
}

/** Counts one hook's calls. */
export class HookCounter implements HookStats {
  calls = 0;
  failures = 0;
  totalUs = 0;
  maxUs = 0;

  /** A call has ended that began then, by monotonicMs(). */
  took(startedAtMs: number): void {
    const us = (monotonicMs() - startedAtMs) * 1000;
    this.calls += 1;
    this.totalUs += us;
    if (us > this.maxUs) this.maxUs = us;
  }
}
