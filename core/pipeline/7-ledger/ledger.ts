import { statSync } from 'node:fs';
import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Outcome } from '../6-load/outcome.ts';
import { UsherdError } from '../../errors.ts';
import {
  asUnreadable,
  isDamage,
  isDiskRefusal,
  isSqliteError,
  makeLedgerFile,
  moveAside,
  type SetAside,
} from './database.ts';
import type { EntryId } from './entry-id.ts';
import { resultOf, type Deliberation } from './deliberation.ts';
import type { PendingItem } from '../4-policy/pending-queue.ts';
import type { Incident, IncidentKind } from './incident.ts';
import { hideRow } from './hide-row.ts';
import { LATE_IDS_BEGIN, withOwnIds } from './late-ids.ts';
import { openLedgerFile, type LedgerFile } from './ledger-file.ts';
import { readPending, type PendingEnd } from './pending-rows.ts';
import { pruneStretch, PRUNED_AT_ONCE } from './prune.ts';
import { signedFacts, type PrunedRange } from './pruned.ts';
import { findCuts, type PruneCuts, type Retention } from './retention.ts';
import { signText } from './signature.ts';
import { readLastIncident } from './last-incident.ts';
import type { RequestFacts } from './request.ts';
import { HELD_MAX_ROWS, RowQueue, type Row, type RunFacts } from './row-queue.ts';
import { SerialHider } from './serial-hider.ts';
import { obtainSerialKey, serialKeyFile } from './serial-key.ts';
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

export interface LedgerOptions {
  /** Called when writing begins to fail, each time a retry fails, when it works again, and when a damaged file was moved aside. */
  readonly onTrouble?: (trouble: LedgerTrouble) => void;
  /** Begins in memory when the disk is full, fails or cannot be written yet; else that is an error. */
  readonly waitsForDisk?: boolean;
  /** Serial numbers and hardware addresses are written as keyed hashes (serial-hider.ts). */
  readonly hidesSerials?: boolean;
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
  #setAside: SetAside | undefined;
  /** Undefined while the disk lets nobody open it. */
  #file: LedgerFile | undefined;
  #lock: WriterLock | undefined;
  readonly #queue = new RowQueue();
  readonly #deliberations = new Map<EntryId, Deliberation>();
  readonly #onTrouble: (trouble: LedgerTrouble) => void;
  readonly #now: () => number;
  #waiting: ((durability: Durability) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #nextId = LATE_IDS_BEGIN;
  /** Where the file's sequence ended when it was opened late. */
  #lateAfter: number | undefined;
  #hidesSerials: boolean;
  #hider: SerialHider | undefined;
  #run: number | undefined;
  #runFacts: RunFacts | undefined;
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

  private constructor(
    file: string,
    { onTrouble = () => {}, now = Date.now, waitsForDisk = false, hidesSerials = false }: LedgerOptions,
  ) {
    this.path = file;
    this.#onTrouble = onTrouble;
    this.#now = now;
    this.#hidesSerials = hidesSerials;
    try {
      this.#nextId = this.#open().lastId + 1;
      if (this.#setAside) this.#recordSetAside(this.#setAside);
    } catch (error) {
      if (!waitsForDisk || !isDiskRefusal(error)) throw error;
      this.#isFailing = true;
    }
  }

  /** What was found damaged and moved aside since this was opened. */
  get setAside(): SetAside | undefined {
    return this.#setAside;
  }

  /** False while the disk has let nobody open the file: what it holds is not known then. */
  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** Whether serial numbers are written as keyed hashes from now on. The key is made when the first row is written. */
  hideSerials(hidesSerials: boolean): void {
    this.#hidesSerials = hidesSerials;
  }

  /** Begins a run; everything recorded after belongs to it. */
  beginRun(facts: RunFacts): void {
    this.#run = this.#takeId();
    this.#runFacts = facts;
    this.#push({ kind: 'run', id: this.#run, facts });
    if (this.#setAside) this.#onTrouble({ kind: 'set-aside', setAside: this.#setAside });
    // Says what is the matter, and begins to try again.
    if (this.#file === undefined) this.flush();
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
    return this.#file === undefined ? [] : readPending(this.#file.db);
  }

  /** Hash of the standing decisions' file as this ledger last heard of it. */
  policyHash(): string | undefined {
    return this.lastIncident('policy-changed', 'policy-edited')?.hash;
  }

  /** The newest incident of one of these kinds; undefined also while the file cannot be opened. */
  lastIncident<Kind extends IncidentKind>(...kinds: readonly Kind[]): Extract<Incident, { kind: Kind }> | undefined {
    this.flush();
    return this.#file && readLastIncident(this.#file.db, kinds);
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

  /**
   * Takes the oldest rows that this retention does not keep, one stretch a transaction, and yields what went; between two stretches
   * events can be written. Each stretch leaves an incident with what the chain needs to go on, signed when a key is given, and who asked for it.
   * Stops when the disk takes nothing. @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE of the key
   */
  *prune(
    retention: Retention,
    { keyFile, uid }: { readonly keyFile?: string | undefined; readonly uid?: number | undefined } = {},
  ): IterableIterator<PrunedRange> {
    if (this.flush() !== 'on-disk' || this.#file === undefined) return;
    const file = this.#file;
    const cuts = this.#unlessRefused(() => findCuts(file.db, retention, this.#now()));
    if (cuts === undefined) return;
    const last = Math.max(...Object.values(cuts));
    for (let first = 0; first <= last; first += PRUNED_AT_ONCE) {
      if (this.flush() !== 'on-disk' || this.#file !== file) return;
      const range = this.#unlessRefused(() => this.#pruneStretch(file, cuts, first, { keyFile, uid }) ?? 'nothing');
      if (range === undefined) return;
      if (range !== 'nothing') yield range;
    }
  }

  #pruneStretch(
    { db, writer }: LedgerFile,
    cuts: PruneCuts,
    first: number,
    { keyFile, uid }: { readonly keyFile: string | undefined; readonly uid: number | undefined },
  ): PrunedRange | undefined {
    const stretch = db.transaction(() => {
      const range = pruneStretch(db, cuts, first);
      if (range === undefined) return undefined;
      const signed = keyFile === undefined ? range : { ...range, ...signText(signedFacts(range), keyFile) };
      const incident = { kind: 'pruned', ...signed, ...(uid !== undefined && { uid }) } as const;
      const row = { kind: 'incident', id: this.#takeId(), run: this.#run, atMs: this.#now(), incident } as const;
      writer.write(this.#asWritten([row]));
      this.#writtenRows += 1;
      return signed;
    });
    try {
      return stretch.immediate();
    } catch (error) {
      writer.forget();
      throw error;
    }
  }

  /** Undefined when the disk takes or gives nothing, or the file is damaged; both are told. */
  #unlessRefused<Answer>(act: () => Answer): Answer | undefined {
    try {
      return act();
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      if (isDamage(error)) this.#replaceDamaged(error.message);
      else this.#holdOn(error);
      return undefined;
    }
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
    this.#file?.db.close();
    this.#lock?.release();
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
    this.#checkpointTimer = setTimeout(() => this.#checkpoint(), CHECKPOINT_AFTER_QUIET_MS).unref();
  }

  #checkpoint(): void {
    this.#checkpointedRows = this.#writtenRows;
    try {
      this.#file?.db.pragma('wal_checkpoint(PASSIVE)');
      this.#file?.db.pragma('shrink_memory'); // What a storm filled is of no use in the quiet after it.
    } catch (error) {
      // Nothing is lost: all rows are in the log. Whether more can be written, the next row shows.
      if (!isSqliteError(error)) throw error;
    }
  }

  /** @throws {UsherdError} LEDGER_BUSY, LEDGER_NEWER, FILE_UNREADABLE */
  #open(): LedgerFile {
    makeLedgerFile(this.path);
    this.#lock ??= takeWriterLock(this.path);
    try {
      this.#file = openLedgerFile(this.path, this.#now);
      this.#setAside = this.#file.setAside;
      return this.#file;
    } catch (error) {
      this.#lock.release();
      this.#lock = undefined;
      throw error;
    }
  }

  #openLate(): LedgerFile {
    const file = this.#open();
    this.#lateAfter ??= file.lastId;
    if (file.setAside) this.#recordSetAside(file.setAside);
    return file;
  }

  #recordSetAside({ movedTo, reason }: SetAside): void {
    this.incident({ kind: 'damaged-ledger', movedTo, reason });
  }

  /**
   * The file turned out to be damaged while it was in use: it goes aside, and the run goes on in a new one.
   * @throws {UsherdError} FILE_UNREADABLE
   */
  #replaceDamaged(reason: string): LedgerFile {
    this.#file?.db.close();
    this.#file = undefined;
    if (this.#run !== undefined && this.#runFacts !== undefined)
      this.#queue.pushFirst({ kind: 'run', id: this.#run, facts: this.#runFacts });
    const setAside = movedAside(this.path, reason);
    this.#recordSetAside(setAside);
    this.#onTrouble({ kind: 'set-aside', setAside });
    const file = this.#open();
    this.#setAside = setAside;
    return file;
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
    const written = this.#writtenRows;
    try {
      let file = this.#file ?? this.#openLate();
      try {
        this.#writeTo(file);
      } catch (error) {
        if (!isDamage(error)) throw error;
        file = this.#replaceDamaged(error.message);
        this.#writeTo(file);
      }
    } catch (error) {
      this.#holdOn(error);
      return 'in-memory';
    }
    this.#isFailing = false;
    if (wasFailing) this.#reportRecovery(this.#writtenRows - written);
    return 'on-disk';
  }

  #writeTo({ writer }: LedgerFile): void {
    while (this.#queue.size > 0) {
      const rows = this.#queue.peek(BATCH_MAX_ROWS);
      const count = rows.length;
      writer.write(this.#asWritten(rows));
      this.#queue.drop(count);
      this.#writtenRows += count;
    }
  }

  /** Rows as they are written: with the file's own ids, and without serial numbers where they are to be hidden. */
  #asWritten(rows: readonly Row[]): readonly Row[] {
    const after = this.#lateAfter;
    const own = after === undefined ? rows : rows.map(row => withOwnIds(row, after));
    if (!this.#hidesSerials) return own;
    const hider = (this.#hider ??= new SerialHider(obtainSerialKey(serialKeyFile(this.path))));
    return own.map(row => hideRow(row, hider));
  }

  #holdOn(error: unknown): void {
    // Anything but the disk saying no is a bug of ours, and must not be retried for ever.
    if (!isSqliteError(error) && !(error instanceof UsherdError)) throw error;
    this.#isFailing = true;
    clearTimeout(this.#timer);
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

/** @throws {UsherdError} FILE_UNREADABLE */
function movedAside(file: string, reason: string): SetAside {
  try {
    return moveAside(file, reason);
  } catch (error) {
    throw asUnreadable(error, file);
  }
}
