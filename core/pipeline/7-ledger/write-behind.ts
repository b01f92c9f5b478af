import { statSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import type { RestsOn } from '../../kernel/rests-on.ts';
import { isDamage, isDiskRefusal, isSqliteError, type Connection, type SetAside } from './database.ts';
import { DurableWait, type Durability } from './durability.ts';
import type { Incident, IncidentKind } from './incident.ts';
import { ALL_ON_DISK, awaitKeeping, ONLY_IN_MEMORY, restOn, type Keeping } from './keeping.ts';
import type { LedgerFile } from './ledger-file.ts';
import type { LogSync, PutOnDisk } from './log-sync.ts';
import { LedgerStore } from './ledger-store.ts';
import { HELD_MAX_ROWS, RowQueue, type Row } from './row-queue.ts';

/** Rows per transaction: each writes a page of the index by device for every device in it, and takes some 10 ms. */
export const BATCH_MAX_ROWS = 2000;
/** A plain event is written after this at the latest, and on disk a moment later; a decision is there before the act, whatever this says. */
export const BATCH_MAX_WAIT_MS = 250;
/** So much later when somebody is about to act by then: the act goes first, and the tables take long. */
const BATCH_AFTER_KEPT_MS = 50;
/** Quiet after which the write-ahead log is copied into the file, when there is enough of it. */
export const CHECKPOINT_AFTER_QUIET_MS = 2000;
/** Fewer rows than this are not worth a copy. */
export const CHECKPOINT_MIN_ROWS = 200;
/** Pause after a write that failed; a full disk is seldom emptied sooner. */
export const RETRY_MS = 5000;

/** The ledger could not write, can again, or found its file damaged. `code` is SQLite's (SQLITE_FULL, SQLITE_IOERR_WRITE) or ours. */
export type LedgerTrouble =
  | {
      readonly kind: 'not-written';
      readonly code: string;
      readonly message: string;
      readonly heldRows: number;
      readonly lostRows: number;
    }
  | { readonly kind: 'written-again'; readonly writtenRows: number; readonly lostRows: number }
  | { readonly kind: 'set-aside'; readonly setAside: SetAside };

export interface LedgerStats {
  readonly path: string;
  /** File and its write-ahead log. */
  readonly sizeBytes: number;
  readonly writtenRows: number;
  readonly heldRows: number;
  readonly lostRows: number;
}

export interface WriteBehindSetting {
  readonly now: () => number;
  readonly hidesSerials: boolean;
  readonly onTrouble: (trouble: LedgerTrouble) => void;
  readonly putOnDisk?: PutOnDisk | undefined;
}

/** Rows about the writing itself, which only who gives rows their ids can make. */
export interface RowMaker {
  incident(incident: Incident): Row;
  /** The run's own; undefined before it has begun. */
  run(): Row | undefined;
}

/**
 * Rows on their way to disk: a batch a transaction, or at once for who has to be sure. Nothing here throws into the path of an event: when
 * the disk takes nothing, rows wait in memory (the newest HELD_MAX_ROWS), the caller is told, and writing is tried again.
 */
export class WriteBehind {
  readonly path: string;
  readonly #store: LedgerStore;
  readonly #rowMaker: RowMaker;
  readonly #onTrouble: (trouble: LedgerTrouble) => void;
  readonly #queue = new RowQueue();
  /** The newest act, until what it rests on was put on disk or it was waited for once. */
  #awaited: symbol | undefined;
  /** The newest row that was written into its table. */
  #writtenId = 0;
  readonly #wait = new DurableWait(error => this.#tellNotWritten(error.code ?? 'EIO', error.message));
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  #setAside: SetAside | undefined;
  #checkpointTimer: NodeJS.Timeout | undefined;
  #checkpointedRows = 0;
  #lostRows = 0;
  #writtenRows = 0;

  constructor(path: string, { onTrouble, ...setting }: WriteBehindSetting, rowMaker: RowMaker) {
    this.path = path;
    this.#onTrouble = onTrouble;
    this.#rowMaker = rowMaker;
    this.#store = new LedgerStore(path, setting);
  }

  /**
   * Opens the file for the first time. With `waitsForDisk` rows wait in memory where the disk does not let it: the answer is undefined then.
   * @throws {UsherdError} LEDGER_BUSY, LEDGER_NEWER, FILE_UNREADABLE
   */
  open(waitsForDisk: boolean): LedgerFile | undefined {
    try {
      return this.#store.open();
    } catch (error) {
      if (!waitsForDisk || !isDiskRefusal(error)) throw error;
      this.#isFailing = true;
      return undefined;
    }
  }

  /** Undefined while the disk has let nobody open the file: what it holds is not known then. */
  get db(): Connection | undefined {
    return this.#store.db;
  }

  /** What was found damaged and moved aside since this was opened. */
  get setAside(): SetAside | undefined {
    return this.#setAside;
  }

  hideSerials(hidesSerials: boolean): void {
    this.#store.hidesSerials = hidesSerials;
  }

  push(row: Row): void {
    this.#queue.push(row);
    if (this.#isFailing) return;
    if (this.#queue.size >= BATCH_MAX_ROWS) this.flush();
    else this.#timer ??= setTimeout(() => this.#flushInTime(), BATCH_MAX_WAIT_MS).unref();
  }

  /** The newest incident of one of these kinds among the rows on their way. */
  lastIncident<Kind extends IncidentKind>(kinds: readonly Kind[]): Extract<Incident, { kind: Kind }> | undefined {
    return this.#queue.lastIncident(kinds);
  }

  /**
   * Writes all that was given so far in one piece, now → what an act that follows from it rests on. In the tables it is a moment later.
   * Where the piece cannot be written the rows go into their tables at once, and the act rests on those.
   */
  keep(): RestsOn {
    return this.#keep().restsOn;
  }

  /** Answers when all that was given so far is on disk in one piece, or that it could not be put there. */
  kept(): Promise<Durability> {
    return awaitKeeping(this.#keep());
  }

  #keep(): Keeping {
    // The next try is on its way; trying for every decision would keep the machine busy with a full disk.
    if (this.#isFailing) return ONLY_IN_MEMORY;
    try {
      const file = this.#open();
      const { kept } = file;
      const rows = this.#queue.after(kept.newestId);
      // Rows that have been written and are not on disk yet are kept, too: the decision may be about one of them.
      if (rows !== undefined && this.#store.keep(file, rows))
        return kept.isPut ? ALL_ON_DISK : this.#restOn(kept.log, kept.awaitPut());
    } catch (error) {
      if (!isSqliteError(error) && !(error instanceof UsherdError)) throw error;
    }
    // Writing knows what to do about a disk that takes nothing, and about damage.
    if (this.flush() === 'in-memory') return ONLY_IN_MEMORY;
    if (this.#queue.isSettled) return ALL_ON_DISK;
    const file = this.#open();
    const upTo = this.#writtenId;
    return this.#restOn(file.log, isPut => isPut && this.#settled(file, upTo));
  }

  /** `ended` is called once, with whether the log was put on disk by whoever acts. */
  #restOn(log: LogSync, ended: (isPut: boolean) => void): Keeping {
    const act = Symbol('act');
    this.#awaited = act;
    return restOn(log, failure => {
      if (this.#awaited === act) this.#awaited = undefined;
      ended(failure === undefined);
      if (failure !== undefined) this.#tellNotWritten(failure.code, failure.message);
    });
  }

  /** Answers when all that was given so far is in its tables and on disk, or that it could not be put there. */
  durable(): Promise<Durability> {
    if (this.#queue.size === 0) return this.#wait.written();
    // The next try is on its way; trying for every decision would keep the machine busy with a full disk.
    if (this.#isFailing) return Promise.resolve('in-memory');
    return this.#wait.toBeWritten(() => this.flush());
  }

  /** Writes all that waits, now; the disk is given it a moment later. */
  flush(): Durability {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const before = this.#writtenRows;
    const durability = this.#writeQueue();
    if (this.#writtenRows > before) this.wrote(this.#open());
    this.#wait.flushed(durability);
    // Who asks and finds nothing to write does not put off what waits for the quiet.
    if (this.#writtenRows > before || durability === 'in-memory') this.#checkpointWhenQuiet();
    return durability;
  }

  /** Who is about to act goes first, once: what the act rests on may never be put on disk, when nothing was left to be done. */
  #flushInTime(): void {
    const isAwaited = this.#awaited !== undefined;
    this.#awaited = undefined;
    if (isAwaited) this.#timer = setTimeout(() => this.#flushInTime(), BATCH_AFTER_KEPT_MS).unref();
    else this.flush();
  }

  /** Writes what waits, and gives the file back. */
  close(): Durability {
    const written = this.flush();
    clearTimeout(this.#timer);
    clearTimeout(this.#checkpointTimer);
    const error = this.#store.close(written === 'on-disk');
    return written === 'on-disk' ? this.#wait.of(error) : written;
  }

  /** The open file, for who writes to it beside the queue, inside `guarded`. */
  file(): LedgerFile {
    return this.#open();
  }

  /** Writes one row now, inside a transaction of the caller's; `wrote` says that it was committed. */
  writeInside(file: LedgerFile, row: Row): void {
    this.#store.write(file, [row]);
    this.#writtenRows += 1;
  }

  wrote(file: LedgerFile): void {
    const upTo = this.#writtenId;
    this.#wait.wrote(file.log, () => this.#settled(file, upTo));
  }

  /** The rows up to this one are in their tables, on disk. */
  #settled({ db, kept }: LedgerFile, lastId: number): void {
    // A file that was given back knows nothing of the rows of the one after it.
    if (db !== this.db) return;
    this.#queue.settled(lastId);
    kept.settled(lastId);
  }

  /** Reads or writes the file → undefined when the disk takes or gives nothing, or the file is damaged; both are told. */
  guarded<Answer>(act: () => Answer): Answer | undefined {
    try {
      return act();
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      if (isDamage(error)) this.#replaceDamaged(error.message);
      else this.#holdOn(error);
      return undefined;
    }
  }

  stats(): LedgerStats {
    const sizeBytes = [this.path, `${this.path}-wal`]
      .map(file => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size);
    const lostRows = this.#lostRows + this.#queue.lost;
    return { path: this.path, sizeBytes, writtenRows: this.#writtenRows, heldRows: this.#queue.size, lostRows };
  }

  #checkpointWhenQuiet(): void {
    clearTimeout(this.#checkpointTimer);
    if (this.#isFailing || this.#writtenRows - this.#checkpointedRows < CHECKPOINT_MIN_ROWS) return;
    this.#checkpointTimer = setTimeout(() => {
      this.#checkpointedRows = this.#writtenRows;
      this.#store.checkpoint();
    }, CHECKPOINT_AFTER_QUIET_MS).unref();
  }

  /** Opens the file, if it is not, and tells in it what stood in its place before and was damaged. */
  #open(): LedgerFile {
    const wasOpen = this.db !== undefined;
    const file = this.#store.open();
    if (!wasOpen && file.setAside) this.recordSetAside(file.setAside);
    return file;
  }

  /** The row waits with the others: this is called in the midst of writing them. */
  recordSetAside(setAside: SetAside): void {
    this.#setAside = setAside;
    const { movedTo, reason } = setAside;
    this.#queue.push(this.#rowMaker.incident({ kind: 'damaged-ledger', movedTo, reason }));
  }

  /**
   * The file turned out to be damaged while it was in use: it goes aside, and the run goes on in a new one.
   * @throws {UsherdError} FILE_UNREADABLE
   */
  #replaceDamaged(reason: string): LedgerFile {
    const setAside = this.#store.setAside(reason);
    // What is in that file is no row of the new one.
    this.#queue.settled(Infinity);
    const run = this.#rowMaker.run();
    if (run !== undefined) this.#queue.pushFirst(run);
    this.recordSetAside(setAside);
    this.#onTrouble({ kind: 'set-aside', setAside });
    return this.#open();
  }

  #writeQueue(): Durability {
    const wasFailing = this.#isFailing;
    const written = this.#writtenRows;
    try {
      const file = this.#open();
      try {
        this.#writeTo(file);
      } catch (error) {
        if (!isDamage(error)) throw error;
        this.#writeTo(this.#replaceDamaged(error.message));
      }
    } catch (error) {
      this.#holdOn(error);
      return 'in-memory';
    }
    this.#isFailing = false;
    if (wasFailing) this.#reportRecovery(this.#writtenRows - written);
    return 'on-disk';
  }

  #writeTo(file: LedgerFile): void {
    while (this.#queue.size > 0) {
      const rows = this.#queue.peek(BATCH_MAX_ROWS);
      const count = rows.length;
      this.#store.write(file, rows);
      this.#writtenId = rows.at(-1)?.id ?? this.#writtenId;
      this.#queue.drop(count);
      this.#writtenRows += count;
    }
  }

  #holdOn(error: unknown): void {
    // Anything but the disk saying no is a bug of ours, and must not be retried for ever.
    if (!isSqliteError(error) && !(error instanceof UsherdError)) throw error;
    this.#isFailing = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), RETRY_MS).unref();
    this.#tellNotWritten(error.code, error.message);
  }

  #tellNotWritten(code: string, message: string): void {
    const { heldRows, lostRows } = this.stats();
    this.#onTrouble({ kind: 'not-written', code, message, heldRows, lostRows });
  }

  #reportRecovery(writtenRows: number): void {
    const lost = this.#queue.takeLost();
    this.#lostRows += lost;
    if (lost > 0) {
      const cause = `the file took no rows, and memory holds ${HELD_MAX_ROWS} at most`;
      this.push(this.#rowMaker.incident({ kind: 'rows-lost', count: lost, cause }));
    }
    this.#onTrouble({ kind: 'written-again', writtenRows, lostRows: this.#lostRows });
  }
}
