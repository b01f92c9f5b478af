import { statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UsherdError } from '../../errors.ts';
import { isDamage, isDiskRefusal, isSqliteError, type Connection, type SetAside } from './database.ts';
import { DurableWait, type Durability } from './durability.ts';
import type { Incident, IncidentKind } from './incident.ts';
import type { LedgerFile } from './ledger-file.ts';
import type { PutOnDisk } from './log-sync.ts';
import { LedgerStore } from './ledger-store.ts';
import { HELD_MAX_ROWS, RowQueue, type Row } from './row-queue.ts';

/** Rows per transaction: each writes a page of the index by device for every device in it, and takes some 10 ms. */
export const BATCH_MAX_ROWS = 2000;
/** A plain event is written after this at the latest, and on disk a moment later; a decision is there before the act, whatever this says. */
export const BATCH_MAX_WAIT_MS = 250;
/** So much later when somebody waits to act by then: what they act on is handed over in between. */
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
  /** The newest row that was kept in one piece. */
  #keptId = 0;
  #keeping: Promise<Durability> | undefined;
  #waitingToAct = 0;
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
   * Answers when all that was given so far is on disk in one piece, so that it may be acted on, or that it could not be put there. In
   * the tables it is a moment later. All who ask in one turn of the event loop share one commit.
   */
  kept(): Promise<Durability> {
    if (this.#isFailing) return Promise.resolve('in-memory');
    this.#keeping ??= this.#keepInTurn();
    return this.#keeping;
  }

  async #keepInTurn(): Promise<Durability> {
    this.#waitingToAct += 1;
    await nextTurn();
    this.#keeping = undefined;
    try {
      return await this.#keep();
    } finally {
      this.#waitingToAct -= 1;
    }
  }

  #keep(): Promise<Durability> | Durability {
    const rows = this.#queue.after(this.#keptId);
    const newest = rows.at(-1);
    if (newest !== undefined) {
      try {
        const file = this.#open();
        this.#store.keep(file, rows);
        this.#keptId = newest.id;
        this.#wait.wrote(file.log);
      } catch (error) {
        if (!isSqliteError(error) && !(error instanceof UsherdError)) throw error;
        // Writing knows what to do about a disk that takes nothing, and about damage.
        if (this.flush() === 'in-memory') return 'in-memory';
      }
    }
    return this.#wait.written();
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
    if (this.#writtenRows > before) this.#wait.wrote(this.#open().log);
    this.#wait.flushed(durability);
    this.#checkpointWhenQuiet();
    return durability;
  }

  /** Who waits to act goes first: the rows are kept, and their tables take long. */
  #flushInTime(): void {
    if (this.#waitingToAct === 0) this.flush();
    else this.#timer = setTimeout(() => this.#flushInTime(), BATCH_AFTER_KEPT_MS).unref();
  }

  /** Writes what waits, and gives the file back. */
  close(): Durability {
    const written = this.flush();
    clearTimeout(this.#timer);
    clearTimeout(this.#checkpointTimer);
    const error = this.#store.close();
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

  wrote({ log }: LedgerFile): void {
    this.#wait.wrote(log);
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
    this.#keptId = 0;
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
