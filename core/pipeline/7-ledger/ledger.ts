import { statSync } from 'node:fs';
import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Outcome } from '../6-load/outcome.ts';
import { adoptRows } from './adopt-rows.ts';
import { isSqliteError, makeLedgerFile, openForWriting, type Connection, type SetAside } from './database.ts';
import type { EntryId } from './entry-id.ts';
import { resultOf, type Deliberation } from './deliberation.ts';
import type { PendingItem } from '../4-policy/pending-queue.ts';
import type { Incident } from './incident.ts';
import { readPending, type PendingEnd } from './pending-rows.ts';
import { readPolicyHash } from './policy-hash.ts';
import type { RequestFacts } from './request.ts';
import { HELD_MAX_ROWS, RowQueue, type Row, type RunFacts } from './row-queue.ts';
import { ROW_SHAPES } from './row-shapes.ts';
import { RowWriter } from './row-writer.ts';
import { takeWriterLock, type WriterLock } from './writer-lock.ts';

export type { EntryId } from './entry-id.ts';

/** Rows per transaction: from here on synchronous=FULL costs nothing that can be measured, and a batch takes about 5 ms. */
export const BATCH_MAX_ROWS = 1000;
/** A plain event is on disk after this at the latest; a decision is there before the act, whatever this says. */
export const BATCH_MAX_WAIT_MS = 250;
/** Quiet after which the write-ahead log is copied into the file, when there is enough of it. */
export const CHECKPOINT_AFTER_QUIET_MS = 2000;
/** Fewer rows than this are not worth a copy. */
export const CHECKPOINT_MIN_ROWS = 200;
/** Pause after a write that failed; a full disk is seldom emptied sooner. */
export const RETRY_MS = 5000;

/** The ledger could not write, or can again. `code` is SQLite's: SQLITE_FULL, SQLITE_IOERR_WRITE. */
export type LedgerTrouble =
  | {
      readonly kind: 'not-written';
      readonly code: string;
      readonly message: string;
      readonly heldRows: number;
      readonly lostRows: number;
    }
  | { readonly kind: 'written-again'; readonly writtenRows: number; readonly lostRows: number };

export interface LedgerOptions {
  /** Called when writing begins to fail, each time a retry fails, and when it works again. */
  readonly onTrouble?: (trouble: LedgerTrouble) => void;
  readonly now?: () => number;
}

export interface LedgerStats {
  readonly path: string;
  /** File and its write-ahead log. */
  readonly sizeBytes: number;
  readonly writtenRows: number;
  readonly heldRows: number;
  readonly lostRows: number;
}

/** Where rows are when `durable` answers: on disk, or only in memory because the disk took none. */
export type Durability = 'on-disk' | 'in-memory';

/**
 * Writes the record. Plain events are written in batches; a decision is on disk when `durable` has answered, and many that wait in
 * the same turn of the event loop share one commit. Nothing here throws into the path of an event: when the disk takes nothing,
 * rows wait in memory (the newest HELD_MAX_ROWS), the caller is told, and writing is tried again.
 */
export class Ledger {
  readonly path: string;
  /** What was found damaged and moved aside when this was opened. */
  readonly setAside: SetAside | undefined;
  readonly #db: Connection;
  readonly #lock: WriterLock;
  readonly #writer: RowWriter;
  readonly #queue = new RowQueue();
  readonly #deliberations = new Map<EntryId, Deliberation>();
  readonly #onTrouble: (trouble: LedgerTrouble) => void;
  readonly #now: () => number;
  #waiting: ((durability: Durability) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #nextId: number;
  #run: number | undefined;
  #isFailing = false;
  #checkpointTimer: NodeJS.Timeout | undefined;
  #checkpointedRows = 0;
  #lostRows = 0;
  #writtenRows = 0;

  /**
   * Opens the ledger at `file` for writing; makes it when there is none.
   * @throws {UsherdError} LEDGER_BUSY, LEDGER_NEWER, FILE_UNREADABLE
   */
  static open(file: string, options: LedgerOptions = {}): Ledger {
    return new Ledger(file, options);
  }

  private constructor(file: string, { onTrouble = () => {}, now = Date.now }: LedgerOptions) {
    this.path = file;
    this.#onTrouble = onTrouble;
    this.#now = now;
    makeLedgerFile(file);
    this.#lock = takeWriterLock(file);
    try {
      const { db, setAside } = openForWriting(file);
      this.#db = db;
      this.setAside = setAside;
      adoptRows(db, now);
      this.#writer = new RowWriter(db, now);
      this.#nextId = lastId(db) + 1;
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  /** Begins a run; everything recorded after belongs to it. */
  beginRun(facts: RunFacts): void {
    this.#run = this.#takeId();
    this.#push({ kind: 'run', id: this.#run, facts });
    if (this.setAside)
      this.incident({ kind: 'damaged-ledger', movedTo: this.setAside.movedTo, reason: this.setAside.reason });
  }

  /** Keeps an event; it is written with its batch. */
  record(event: Uevent): EntryId {
    if (this.#run === undefined) throw new Error('bug: an event was recorded before beginRun');
    const id = this.#takeId() as EntryId;
    this.#push({ kind: 'uevent', id, run: this.#run, event });
    return id;
  }

  /** Keeps what was decided for an entry. Wait for `durable` before acting on it; end it with `commit`. */
  open(entry: EntryId, deliberation: Deliberation): void {
    this.#deliberations.set(entry, deliberation);
    this.#push({ kind: 'decision', id: this.#takeId(), entry, atMs: this.#now(), deliberation });
  }

  /** Ends an open entry with what was done, one outcome per step carried out. */
  commit(entry: EntryId, outcomes: readonly Outcome[]): void {
    const deliberation = this.#deliberations.get(entry);
    if (deliberation === undefined) throw new Error(`bug: entry ${entry} was ended but is not open`);
    this.#deliberations.delete(entry);
    const result = resultOf(deliberation, outcomes);
    this.#push({ kind: 'ending', id: this.#takeId(), entry, atMs: this.#now(), result, outcomes });
  }

  /** Proof that a driver took a device; `entry` is the one that brought the driver's module, when one did. */
  bound(entry: EntryId | undefined, devpath: Devpath, driver: string): void {
    this.#push({ kind: 'bind', id: this.#takeId(), entry, atMs: this.#now(), devpath, driver });
  }

  incident(incident: Incident): void {
    this.#push({ kind: 'incident', id: this.#takeId(), run: this.#run, atMs: this.#now(), incident });
  }

  /** Keeps a wish for modules that no uevent brought; `open` and `commit` take its id as they take an event's. */
  request(request: RequestFacts): EntryId {
    const id = this.#takeId() as EntryId;
    this.#push({ kind: 'request', id, run: this.#run, atMs: this.#now(), request });
    return id;
  }

  /** Keeps a device that waits for an answer → the question as it is called from now on. */
  pend(item: Omit<PendingItem, 'id' | 'heldAtMs'>): PendingItem {
    const [id, atMs] = [this.#takeId(), this.#now()];
    this.#push({ kind: 'pending', id, atMs, item });
    return { ...item, id, heldAtMs: atMs };
  }

  /** A device waits no longer; `uid` is who answered. */
  endPending(pending: number, how: PendingEnd, uid?: number): void {
    this.#push({ kind: 'pending-end', id: this.#takeId(), pending, atMs: this.#now(), how, uid });
  }

  /** Devices that waited when the ledger was last closed, or the daemon was killed. */
  openPending(): readonly PendingItem[] {
    return readPending(this.#db);
  }

  /** Hash of the standing decisions' file as this ledger last heard of it. */
  policyHash(): string | undefined {
    this.flush();
    return readPolicyHash(this.#db);
  }

  /** Answers when all that was given so far is on disk, or that it could not be put there. */
  durable(): Promise<Durability> {
    if (this.#queue.size === 0) return Promise.resolve('on-disk');
    // The next try is on its way; trying for every decision would keep the machine busy with a full disk.
    if (this.#isFailing) return Promise.resolve('in-memory');
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Writes all that waits, now. */
  flush(): Durability {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const durability = this.#writeQueue();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(durability);
    this.#checkpointWhenQuiet();
    return durability;
  }

  /** Ends the run, writes what waits, and gives the file back. */
  close(reason: string): Durability {
    if (this.#run !== undefined)
      this.#push({ kind: 'run-end', id: this.#takeId(), run: this.#run, atMs: this.#now(), reason });
    const durability = this.flush();
    clearTimeout(this.#timer);
    clearTimeout(this.#checkpointTimer);
    this.#db.close();
    this.#lock.release();
    return durability;
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
      this.#db.pragma('wal_checkpoint(PASSIVE)');
      this.#db.pragma('shrink_memory'); // What a storm filled is of no use in the quiet after it.
    }, CHECKPOINT_AFTER_QUIET_MS).unref();
  }

  #takeId(): number {
    return this.#nextId++;
  }

  #push(row: Row): void {
    this.#queue.push(row);
    if (this.#isFailing) return;
    if (this.#queue.size >= BATCH_MAX_ROWS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MAX_WAIT_MS).unref();
  }

  #writeQueue(): Durability {
    const wasFailing = this.#isFailing;
    let written = 0;
    try {
      while (this.#queue.size > 0) {
        const rows = this.#queue.peek(BATCH_MAX_ROWS);
        const count = rows.length;
        this.#writer.write(rows);
        this.#queue.drop(count);
        written += count;
      }
    } catch (error) {
      this.#writtenRows += written;
      this.#holdOn(error);
      return 'in-memory';
    }
    this.#writtenRows += written;
    this.#isFailing = false;
    if (wasFailing) this.#reportRecovery(written);
    return 'on-disk';
  }

  #holdOn(error: unknown): void {
    // Anything but the disk saying no is a bug of ours, and must not be retried for ever.
    if (!isSqliteError(error)) throw error;
    this.#isFailing = true;
    this.#timer = setTimeout(() => this.flush(), RETRY_MS).unref();
    const { code, message } = error;
    const lostRows = this.#lostRows + this.#queue.lost;
    this.#onTrouble({ kind: 'not-written', code, message, heldRows: this.#queue.size, lostRows });
  }

  #reportRecovery(writtenRows: number): void {
    const lost = this.#queue.takeLost();
    this.#lostRows += lost;
    if (lost > 0) {
      const cause = `the file took no rows, and memory holds ${HELD_MAX_ROWS} at most`;
      this.incident({ kind: 'rows-lost', count: lost, cause });
    }
    this.#onTrouble({ kind: 'written-again', writtenRows, lostRows: this.#lostRows });
  }
}

/** Highest id of the one sequence; 0 in a new file. */
function lastId(db: Connection): number {
  return Math.max(
    0,
    ...ROW_SHAPES.map(({ table }) => Number(db.prepare(`SELECT max(id) FROM ${table}`).pluck().get() ?? 0)),
  );
}
