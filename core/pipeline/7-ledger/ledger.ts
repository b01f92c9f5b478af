import type { RestsOn } from '../../kernel/rests-on.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import { wallClockMs } from '../../vocabulary/wall-clock.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { PendingItem } from '../4-policy/pending-queue.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { SetAside } from './database.ts';
import { resultOf, type Deliberation } from './deliberation.ts';
import type { Durability } from './durability.ts';
import type { EntryId } from './entry-id.ts';
import type { Incident, IncidentKind } from './incident.ts';
import { readLastIncident } from './last-incident.ts';
import { LATE_IDS_BEGIN } from './late-ids.ts';
import type { PutOnDisk } from './log-sync.ts';
import { readPending, type PendingEnd } from './pending-rows.ts';
import { PRUNED_AT_ONCE } from './prune.ts';
import { pruneTold, type PruneOrder } from './prune-ledger.ts';
import type { PrunedRange } from './pruned.ts';
import type { RequestFacts } from './request.ts';
import { findCuts, type Retention } from './retention.ts';
import type { Row, RunFacts } from './row-queue.ts';
import { TextSweep } from './text-sweep.ts';
import { WriteBehind, type LedgerStats, type LedgerTrouble } from './write-behind.ts';

export type { EntryId } from './entry-id.ts';

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

/**
 * Writes the record: gives each row its place in the one sequence, and to write-behind.ts, which has them on disk. Nothing here throws into
 * the path of an event.
 */
export class Ledger {
  readonly path: string;
  readonly #rows: WriteBehind;
  readonly #deliberations = new Map<EntryId, Deliberation>();
  readonly #onTrouble: (trouble: LedgerTrouble) => void;
  readonly #now: () => number;
  #nextId = LATE_IDS_BEGIN;
  #run: { readonly id: number; readonly facts: RunFacts } | undefined;

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
    this.#rows = new WriteBehind(
      file,
      { now, hidesSerials, onTrouble, putOnDisk },
      { incident: incident => this.#incidentRow(incident), run: () => this.#run && { kind: 'run', ...this.#run } },
    );
    const opened = this.#rows.open(waitsForDisk);
    if (opened === undefined) return;
    this.#nextId = opened.lastId + 1;
    if (opened.setAside) this.#rows.recordSetAside(opened.setAside);
  }

  /** What was found damaged and moved aside since this was opened. */
  get setAside(): SetAside | undefined {
    return this.#rows.setAside;
  }

  /** False while the disk has let nobody open the file: what it holds is not known then. */
  get isOpen(): boolean {
    return this.#rows.db !== undefined;
  }

  /** Whether serial numbers are written as keyed hashes from now on. The key is made when the first row is written. */
  hideSerials(hidesSerials: boolean): void {
    this.#rows.hideSerials(hidesSerials);
  }

  /** Begins a run; everything recorded after belongs to it. */
  beginRun(facts: RunFacts): void {
    this.#run = { id: this.#takeId(), facts };
    this.#rows.push({ kind: 'run', ...this.#run });
    if (this.setAside) this.#onTrouble({ kind: 'set-aside', setAside: this.setAside });
    // Says what is the matter, and begins to try again.
    if (!this.isOpen) this.flush();
  }

  /** Keeps an event; it is written with its batch. */
  record(event: Uevent): EntryId {
    if (this.#run === undefined) throw new Error('bug: an event was recorded before beginRun');
    const id = this.#takeId() as EntryId;
    this.#rows.push({ kind: 'uevent', id, run: this.#run.id, event });
    return id;
  }

  /** Keeps what was decided for an entry. Before acting on it `keep` it, or wait for `kept`; end it with `commit`. */
  open(entry: EntryId, deliberation: Deliberation): void {
    this.#deliberations.set(entry, deliberation);
    this.#rows.push({ kind: 'decision', id: this.#takeId(), entry, atMs: this.#now(), deliberation });
  }

  /** Ends an open entry with what was done, one outcome per step carried out. */
  commit(entry: EntryId, outcomes: readonly Outcome[]): void {
    const deliberation = this.#deliberations.get(entry);
    if (deliberation === undefined) throw new Error(`bug: entry ${entry} was ended but is not open`);
    this.#deliberations.delete(entry);
    const result = resultOf(deliberation, outcomes);
    this.#rows.push({ kind: 'ending', id: this.#takeId(), entry, atMs: this.#now(), result, outcomes });
  }

  /** Proof that a driver took a device; `entry` is the one that brought the driver's module, when one did. */
  bound(entry: EntryId | undefined, devpath: Devpath, driver: string): void {
    this.#rows.push({ kind: 'bind', id: this.#takeId(), entry, atMs: this.#now(), devpath, driver });
  }

  incident(incident: Incident): void {
    this.#rows.push(this.#incidentRow(incident));
  }

  /** Keeps a wish for modules that no uevent brought; `open` and `commit` take its id as they take an event's. */
  request(request: RequestFacts): EntryId {
    const id = this.#takeId() as EntryId;
    this.#rows.push({ kind: 'request', id, run: this.#run?.id, atMs: this.#now(), request });
    return id;
  }

  /** Keeps a device that waits for an answer → the question as it is called from now on. */
  pend(item: Omit<PendingItem, 'id' | 'heldAtMs'>): PendingItem {
    const [id, atMs] = [this.#takeId(), this.#now()];
    this.#rows.push({ kind: 'pending', id, atMs, item });
    return { ...item, id, heldAtMs: atMs };
  }

  /** A device waits no longer; `uid` is who answered. */
  endPending(pending: number, how: PendingEnd, uid?: number): void {
    this.#rows.push({ kind: 'pending-end', id: this.#takeId(), pending, atMs: this.#now(), how, uid });
  }

  /** Devices that waited when the ledger was last closed, or the daemon was killed. */
  openPending(): readonly PendingItem[] {
    const { db } = this.#rows;
    return (db && this.#rows.guarded(() => readPending(db))) ?? [];
  }

  /** Hash of the standing decisions' file as this ledger last heard of it. */
  policyHash(): string | undefined {
    return this.lastIncident('policy-changed', 'policy-edited')?.hash;
  }

  /** The newest incident of one of these kinds; undefined also while the file cannot be opened. */
  lastIncident<Kind extends IncidentKind>(...kinds: readonly Kind[]): Extract<Incident, { kind: Kind }> | undefined {
    const waiting = this.#rows.lastIncident(kinds);
    const { db } = this.#rows;
    return waiting ?? (db && this.#rows.guarded(() => readLastIncident(db, kinds)));
  }

  /**
   * Writes all that was given so far in one piece, now → what an act that follows from it rests on, which whoever acts has put on disk
   * first. In the tables it is a moment later.
   */
  keep(): RestsOn {
    return this.#rows.keep();
  }

  /** Answers when all that was given so far is on disk in one piece, so that it may be acted on, or that it could not be put there. */
  kept(): Promise<Durability> {
    return this.#rows.kept();
  }

  /** Answers when all that was given so far is in its tables and on disk, or that it could not be put there. */
  durable(): Promise<Durability> {
    return this.#rows.durable();
  }

  /** Writes all that waits, now; the disk is given it a moment later. */
  flush(): Durability {
    return this.#rows.flush();
  }

  /**
   * Takes the oldest rows that this retention does not keep, one stretch a transaction, and yields what went; between two stretches
   * events can be written. Each stretch leaves an incident with what the chain needs to go on, signed when a key is given, and who asked for it.
   * Stops when the disk takes nothing. @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE of the key
   */
  *prune(retention: Retention, order: PruneOrder = {}): IterableIterator<PrunedRange> {
    if (this.flush() !== 'on-disk') return;
    const file = this.#rows.file();
    const cuts = this.#rows.guarded(() => findCuts(file.db, retention, this.#now()));
    if (cuts === undefined) return;
    const last = Math.max(...Object.values(cuts));
    for (let first = 0; first <= last; first += PRUNED_AT_ONCE) {
      if (this.flush() !== 'on-disk' || this.#rows.db !== file.db) return;
      const range = this.#rows.guarded(
        () =>
          pruneTold(file, { cuts, first }, order, incident =>
            this.#rows.writeInside(file, this.#incidentRow(incident)),
          ) ?? 'nothing',
      );
      if (range === undefined) return;
      if (range === 'nothing') continue;
      file.kept.cut();
      this.#rows.wrote(file);
      yield range;
    }
  }

  /**
   * Takes the texts that no row speaks of any more, after a pruning, and yields how many went with each step; between two steps events can be
   * written, but nothing may be pruned. Stops when the disk takes nothing.
   */
  *sweepTexts(): IterableIterator<number> {
    if (this.flush() !== 'on-disk') return;
    const { db, writer } = this.#rows.file();
    const isSame = (): boolean => this.flush() === 'on-disk' && this.#rows.db === db;
    const sweep = this.#rows.guarded(() => new TextSweep(db));
    if (sweep === undefined) return;
    for (;;) {
      const isMore = this.#rows.guarded(() => sweep.look());
      if (isMore === undefined) return;
      if (!isMore) break;
      yield 0;
      if (!isSame()) return;
    }
    for (;;) {
      const taken = this.#rows.guarded(() => db.transaction(() => sweep.take() ?? 'all').immediate());
      writer.forget();
      if (taken === undefined || taken === 'all') return;
      yield taken;
      if (!isSame()) return;
    }
  }

  /** Ends the run, writes what waits, and gives the file back. */
  close(reason: string): Durability {
    if (this.#run !== undefined)
      this.#rows.push({ kind: 'run-end', id: this.#takeId(), run: this.#run.id, atMs: this.#now(), reason });
    return this.#rows.close();
  }

  stats(): LedgerStats {
    return this.#rows.stats();
  }

  #takeId(): number {
    return this.#nextId++;
  }

  #incidentRow(incident: Incident): Row {
    return { kind: 'incident', id: this.#takeId(), run: this.#run?.id, atMs: this.#now(), incident };
  }
}
