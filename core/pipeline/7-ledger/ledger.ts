import { statSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import { wallClockMs } from '../../vocabulary/wall-clock.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { PendingItem } from '../4-policy/pending-queue.ts';
import type { Outcome } from '../6-load/outcome.ts';
import { isDamage, isDiskRefusal, isSqliteError, type SetAside } from './database.ts';
import { resultOf, type Deliberation } from './deliberation.ts';
import { DurableWait, type Durability } from './durability.ts';
import type { EntryId } from './entry-id.ts';
import type { Incident, IncidentKind } from './incident.ts';
import { readLastIncident } from './last-incident.ts';
import { LATE_IDS_BEGIN } from './late-ids.ts';
import type { LedgerFile } from './ledger-file.ts';
import type { PutOnDisk } from './log-sync.ts';
import { LedgerStore } from './ledger-store.ts';
import { readPending, type PendingEnd } from './pending-rows.ts';
import { PRUNED_AT_ONCE } from './prune.ts';
import { pruneTold, type PruneOrder } from './prune-ledger.ts';
import type { PrunedRange } from './pruned.ts';
import type { RequestFacts } from './request.ts';
import { findCuts, type Retention } from './retention.ts';
import { TextSweep } from './text-sweep.ts';
import { HELD_MAX_ROWS, RowQueue, type Row, type RunFacts } from './row-queue.ts';

export type { EntryId } from './entry-id.ts';

/** Rows per transaction: each writes a page of the index by device for every device in it, and takes some 10 ms. */
export const BATCH_MAX_ROWS = 2000;
/** A plain event is written after this at the latest, and on disk a moment later; a decision is there before the act, whatever this says. */
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
  /** Puts the log on disk in place of fdatasync(2). */
  readonly putOnDisk?: PutOnDisk;
}

export interface LedgerStats {
  readonly path: string;
  /** File and its write-ahead log. */
  readonly sizeBytes: number;
  readonly writtenRows: number;
  readonly heldRows: number;
  readonly lostRows: number;
}

/**
 * Writes the record. Plain events are written in batches; a decision is on disk when `durable` has answered, and many that wait in
 * the same turn of the event loop share one commit. Nothing here throws into the path of an event: when the disk takes nothing,
 * rows wait in memory (the newest HELD_MAX_ROWS), the caller is told, and writing is tried again.
 */
export class Ledger {
  readonly path: string;
  #setAside: SetAside | undefined;
  readonly #store: LedgerStore;
  readonly #queue = new RowQueue();
  /** The newest row that was kept in one piece. */
  #keptId = 0;
  #keeping: Promise<Durability> | undefined;
  readonly #deliberations = new Map<EntryId, Deliberation>();
  readonly #onTrouble: (trouble: LedgerTrouble) => void;
  readonly #now: () => number;
  readonly #wait = new DurableWait(error => this.#tellNotWritten(error.code ?? 'EIO', error.message));
  #timer: NodeJS.Timeout | undefined;
  #nextId = LATE_IDS_BEGIN;
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
    { onTrouble = () => {}, now = wallClockMs, waitsForDisk = false, hidesSerials = false, putOnDisk }: LedgerOptions,
  ) {
    this.path = file;
    this.#onTrouble = onTrouble;
    this.#now = now;
    this.#store = new LedgerStore(file, { hidesSerials, now, putOnDisk });
    try {
      const { lastId, setAside } = this.#store.open();
      this.#nextId = lastId + 1;
      if (setAside) this.#recordSetAside(setAside);
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
    return this.#store.db !== undefined;
  }

  /** Whether serial numbers are written as keyed hashes from now on. The key is made when the first row is written. */
  hideSerials(hidesSerials: boolean): void {
    this.#store.hidesSerials = hidesSerials;
  }

  /** Begins a run; everything recorded after belongs to it. */
  beginRun(facts: RunFacts): void {
    this.#run = this.#takeId();
    this.#runFacts = facts;
    this.#push({ kind: 'run', id: this.#run, facts });
    if (this.#setAside) this.#onTrouble({ kind: 'set-aside', setAside: this.#setAside });
    // Says what is the matter, and begins to try again.
    if (!this.isOpen) this.flush();
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
    this.#push(this.#incidentRow(incident));
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
    const { db } = this.#store;
    return (db && this.#unlessRefused(() => readPending(db))) ?? [];
  }

  /** Hash of the standing decisions' file as this ledger last heard of it. */
  policyHash(): string | undefined {
    return this.lastIncident('policy-changed', 'policy-edited')?.hash;
  }

  /** The newest incident of one of these kinds; undefined also while the file cannot be opened. */
  lastIncident<Kind extends IncidentKind>(...kinds: readonly Kind[]): Extract<Incident, { kind: Kind }> | undefined {
    this.flush();
    const { db } = this.#store;
    return db && this.#unlessRefused(() => readLastIncident(db, kinds));
  }

  /**
   * Answers when all that was given so far is on disk in one piece, so that it may be acted on, or that it could not be put there. In
   * the tables it is a moment later. All who ask in one turn of the event loop share one commit.
   */
  kept(): Promise<Durability> {
    if (this.#isFailing) return Promise.resolve('in-memory');
    this.#keeping ??= new Promise(resolve =>
      setImmediate(() => {
        this.#keeping = undefined;
        resolve(this.#keep());
      }),
    );
    return this.#keeping;
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

  /**
   * Takes the oldest rows that this retention does not keep, one stretch a transaction, and yields what went; between two stretches
   * events can be written. Each stretch leaves an incident with what the chain needs to go on, signed when a key is given, and who asked for it.
   * Stops when the disk takes nothing. @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE of the key
   */
  *prune(retention: Retention, order: PruneOrder = {}): IterableIterator<PrunedRange> {
    if (this.flush() !== 'on-disk') return;
    const file = this.#store.open();
    const cuts = this.#unlessRefused(() => findCuts(file.db, retention, this.#now()));
    if (cuts === undefined) return;
    const last = Math.max(...Object.values(cuts));
    for (let first = 0; first <= last; first += PRUNED_AT_ONCE) {
      if (this.flush() !== 'on-disk' || this.#store.db !== file.db) return;
      const range = this.#unlessRefused(
        () =>
          pruneTold(file, { cuts, first }, order, incident => {
            this.#store.write(file, [this.#incidentRow(incident)]);
            this.#writtenRows += 1;
          }) ?? 'nothing',
      );
      if (range === undefined) return;
      if (range === 'nothing') continue;
      this.#wait.wrote(file.log);
      yield range;
    }
  }

  /**
   * Takes the texts that no row speaks of any more, after a pruning, and yields how many went with each step; between two steps events can be
   * written, but nothing may be pruned. Stops when the disk takes nothing.
   */
  *sweepTexts(): IterableIterator<number> {
    if (this.flush() !== 'on-disk') return;
    const { db, writer } = this.#store.open();
    const isSame = (): boolean => this.flush() === 'on-disk' && this.#store.db === db;
    const sweep = this.#unlessRefused(() => new TextSweep(db));
    if (sweep === undefined) return;
    for (;;) {
      const isMore = this.#unlessRefused(() => sweep.look());
      if (isMore === undefined) return;
      if (!isMore) break;
      yield 0;
      if (!isSame()) return;
    }
    for (;;) {
      const taken = this.#unlessRefused(() => db.transaction(() => sweep.take() ?? 'all').immediate());
      writer.forget();
      if (taken === undefined || taken === 'all') return;
      yield taken;
      if (!isSame()) return;
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

  /** Ends the run, writes what waits, and gives the file back. */
  close(reason: string): Durability {
    if (this.#run !== undefined)
      this.#push({ kind: 'run-end', id: this.#takeId(), run: this.#run, atMs: this.#now(), reason });
    const written = this.flush();
    clearTimeout(this.#timer);
    clearTimeout(this.#checkpointTimer);
    const error = this.#store.close();
    return written === 'on-disk' ? this.#wait.of(error) : written;
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
    const wasOpen = this.isOpen;
    const file = this.#store.open();
    if (!wasOpen && file.setAside) this.#recordSetAside(file.setAside);
    return file;
  }

  /** The row waits with the others: this is called in the midst of writing them. */
  #recordSetAside(setAside: SetAside): void {
    this.#setAside = setAside;
    const { movedTo, reason } = setAside;
    this.#queue.push(this.#incidentRow({ kind: 'damaged-ledger', movedTo, reason }));
  }

  /**
   * The file turned out to be damaged while it was in use: it goes aside, and the run goes on in a new one.
   * @throws {UsherdError} FILE_UNREADABLE
   */
  #replaceDamaged(reason: string): LedgerFile {
    const setAside = this.#store.setAside(reason);
    this.#keptId = 0;
    if (this.#run !== undefined && this.#runFacts !== undefined)
      this.#queue.pushFirst({ kind: 'run', id: this.#run, facts: this.#runFacts });
    this.#recordSetAside(setAside);
    this.#onTrouble({ kind: 'set-aside', setAside });
    return this.#open();
  }

  #takeId(): number {
    return this.#nextId++;
  }

  #incidentRow(incident: Incident): Row {
    return { kind: 'incident', id: this.#takeId(), run: this.#run, atMs: this.#now(), incident };
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
      this.incident({ kind: 'rows-lost', count: lost, cause });
    }
    this.#onTrouble({ kind: 'written-again', writtenRows, lostRows: this.#lostRows });
  }
}
