import type { LogSync } from './log-sync.ts';

/** Where rows are when somebody asked for them to be kept: on disk, or only in memory because the disk took none. */
export type Durability = 'on-disk' | 'in-memory';

/** Who waits for rows to be on disk: those not written yet, and those that were written and are on their way. */
export class DurableWait {
  readonly #failed: (error: NodeJS.ErrnoException) => void;
  #waiting: ((durability: Durability | Promise<Durability>) => void)[] = [];
  #sync: Promise<Durability> | undefined;

  /** `failed` is told what kept a log from the disk. */
  constructor(failed: (error: NodeJS.ErrnoException) => void) {
    this.#failed = failed;
  }

  /** Answers when what has been written is on disk. */
  written(): Promise<Durability> {
    return this.#sync ?? Promise.resolve('on-disk');
  }

  /** Answers when what is to be written is on disk. `flush` writes it, once for all who wait in this turn of the event loop. */
  toBeWritten(flush: () => void): Promise<Durability> {
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(flush);
    });
  }

  /** Something was written to a log: it is put on disk, and `settled` is called when it is there. */
  wrote(log: LogSync, settled: () => void): void {
    const sync = log.sync().then(error => {
      if (this.#sync === sync) this.#sync = undefined;
      if (error === undefined) settled();
      return this.of(error);
    });
    this.#sync = sync;
  }

  /** All that waited was written, or could not be. */
  flushed(durability: Durability): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(durability === 'on-disk' ? this.written() : durability);
  }

  /** What came of putting a log on disk. */
  of(error: NodeJS.ErrnoException | undefined): Durability {
    if (error === undefined) return 'on-disk';
    this.#failed(error);
    return 'in-memory';
  }
}
