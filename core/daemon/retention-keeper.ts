import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from '../pipeline/7-ledger/ledger.ts';
import { keepsAll, type Retention } from '../pipeline/7-ledger/retention.ts';
import type { Reporter } from '../pipeline/8-report/reporter.ts';
import { UsherdError } from '../errors.ts';
import { formatCount } from '../pipeline/8-report/quantity.ts';

/** The start has enough to do. */
const FIRST_AFTER_MS = 10 * 60_000;
const EVERY_MS = 24 * 3_600_000;
/** Between two stretches of a pruning, so that events are written meanwhile. */
const PAUSE_MS = 500;

/** Prunes the ledger once a day. Without retention it has no timer. */
export class RetentionKeeper {
  readonly #ledger: Ledger;
  readonly #reporter: Reporter;
  #retention: Retention = {};
  #keyFile: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(ledger: Ledger, reporter: Reporter) {
    this.#ledger = ledger;
    this.#reporter = reporter;
  }

  /** What is kept from now on; at the start and after a reload. */
  configure(retention: Retention, keyFile: string | undefined): void {
    this.#retention = retention;
    this.#keyFile = keyFile;
    if (keepsAll(retention)) clearTimeout(this.#timer);
    else this.#wait(FIRST_AFTER_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () =>
        void this.prune().finally(() => {
          if (!this.#isStopped) this.#wait(EVERY_MS);
        }),
      ms,
    ).unref();
  }

  async #sweep(): Promise<void> {
    for (const _ of this.#ledger.sweepTexts()) {
      await pause(PAUSE_MS, undefined, { ref: false });
      if (this.#isStopped) return;
    }
  }

  /** Takes what is not to be kept, stretch by stretch → how many rows went. `uid` asked for it; nobody does once a day. */
  async prune(uid?: number): Promise<number> {
    let rows = 0;
    try {
      for (const range of this.#ledger.prune(this.#retention, { keyFile: this.#keyFile, uid })) {
        rows += range.rows;
        await pause(PAUSE_MS, undefined, { ref: false });
        if (this.#isStopped) break;
      }
      if (rows > 0 && !this.#isStopped) await this.#sweep();
    } catch (error) {
      if (!(error instanceof UsherdError)) throw error;
      this.#reporter.emit('notice', 'warning', `the ledger was not pruned: ${error.message}`);
    }
    if (rows > 0) this.#reporter.emit('notice', 'info', `${formatCount(rows, 'row')} of the ledger pruned`);
    return rows;
  }
}
