import { hash } from 'node:crypto';
import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Modalias } from '../../vocabulary/modalias.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { checkAnchor, takeAnchor, type Anchor, type AnchorCheck } from './anchor.ts';
import { findChanges, type Changes } from './changes.ts';
import { reading, type Connection } from './database.ts';
import { EntryQuery } from './entry-query.ts';
import { ENTRY_COLUMNS, ENTRY_TABLES, EntryReader, type EntryRow } from './entry-reader.ts';
import type { Bind, HistoryEntry, HistoryIncident, HistoryRun } from './history-entry.ts';
import { bootConditions, type HistoryFilter, type SqlValue } from './history-filter.ts';
import type { Incident, IncidentKind } from './incident.ts';
import type { EntryId } from './entry-id.ts';
import {
  findBoots,
  findConnected,
  findDevices,
  findDrivers,
  type Boot,
  type Connected,
  type DeviceFilter,
  type DriverFilter,
  type DriverSpan,
  type KnownDevice,
} from './questions.ts';
import { countBy, type Count, type GroupKey } from './count-by.ts';
import { countPrunable, type PruneCounts } from './prune.ts';
import { findCuts, type Retention } from './retention.ts';
import { lastRowId } from './last-row.ts';
import { openToRead } from './open-to-read.ts';
import { RecordedWords } from './recorded-words.ts';
import { readRecords, type RowRecord } from './row-records.ts';
import { verifyChain, type Verification } from './verify.ts';
import { askSql, type SqlAnswer } from './views.ts';
import type { PendingItem } from '../4-policy/pending-queue.ts';
import { readPending } from './pending-rows.ts';
import { requestOf, type RequestEntry, type RequestRow } from './request-entry.ts';
import { findWriter } from './writer-lock.ts';

/** What a decision is looked up by. */
export type DecisionSubject =
  | { readonly devpath: Devpath }
  | { readonly module: ModuleName }
  | { readonly modalias: Modalias };

export interface IncidentFilter extends Pick<
  HistoryFilter,
  'sinceMs' | 'untilMs' | 'bootId' | 'sinceBootId' | 'after' | 'limit'
> {
  readonly kind?: IncidentKind;
  /** One of these; for who has them from outside. */
  readonly kinds?: readonly string[];
  /** One of its facts is this module's name. */
  readonly module?: string | undefined;
}

/** Reads the record, from a connection of its own that can write nothing. Works beside a daemon, and without one. */
export class History {
  readonly path: string;
  readonly #db: Connection;
  readonly #reader: EntryReader;
  readonly #query: EntryQuery;
  readonly #words: RecordedWords;

  /** @throws {UsherdError} FILE_UNREADABLE, LEDGER_DAMAGED, LEDGER_NEWER */
  static open(file: string): History {
    return new History(file, openToRead(file));
  }

  private constructor(path: string, db: Connection) {
    this.path = path;
    this.#db = db;
    this.#reader = reading(path, () => new EntryReader(db));
    this.#query = new EntryQuery(db);
    this.#words = new RecordedWords(db, path);
  }

  /** Entries that meet the filter, newest first unless it says otherwise (EntrySearch.order). */
  *query(wanted: HistoryFilter = {}): IterableIterator<HistoryEntry> {
    const filter = reading(this.path, () => this.#words.filter(wanted));
    const liveRun = this.#liveRun();
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    const rows = this.#query.rows(filter, liveRun);
    while (left > 0) {
      const next = reading(this.path, () => rows.next());
      if (next.done === true) return;
      const entry = this.#read(next.value, liveRun);
      if (!hasEnv(entry, filter)) continue;
      left -= 1;
      yield entry;
    }
  }

  entryById(id: EntryId): HistoryEntry | undefined {
    return this.#one('uevent.id = ?', id);
  }

  /** The latest entry in which something was decided about a device, a module or a modalias. */
  lastDecisionFor(subject: DecisionSubject): HistoryEntry | undefined {
    const named = '(SELECT id FROM str WHERE text = ?)';
    // A request has decisions, too, and is no uevent.
    const ofUevent = 'entry IN (SELECT id FROM uevent)';
    const latest = (where: string): string =>
      `decision.id = (SELECT max(id) FROM decision WHERE ${where} = ${named} AND ${ofUevent})`;
    if ('devpath' in subject) return this.#one(latest('devpath'), this.#words.device(subject.devpath));
    if ('modalias' in subject) return this.#one(latest('modalias'), subject.modalias);
    return this.#one(
      `uevent.id = (SELECT entry FROM tag WHERE what = ${named} AND ${ofUevent} ORDER BY entry DESC LIMIT 1)`,
      subject.module,
    );
  }

  /**
   * Entries that were recorded, decided, ended or bound after row `id` of the one sequence and up to row `lastId`, in the order
   * they were recorded. A follower takes `lastId()`, asks for what is between, and begins there the next time.
   */
  *since(id: number, lastId: number): IterableIterator<HistoryEntry> {
    const liveRun = this.#liveRun();
    const between = 'id > ? AND id <= ?';
    const ids = this.#all<{ entry: number }>(
      `SELECT id AS entry FROM uevent WHERE ${between} UNION SELECT entry FROM decision WHERE ${between}
       UNION SELECT entry FROM ending WHERE ${between}
       UNION SELECT entry FROM bind WHERE ${between} AND entry IS NOT NULL ORDER BY entry`,
      ...Array.from({ length: 4 }, () => [id, lastId]).flat(),
    );
    for (const { entry } of ids) {
      const [row] = this.#all<EntryRow>(`SELECT ${ENTRY_COLUMNS} FROM ${ENTRY_TABLES} WHERE uevent.id = ?`, entry);
      if (row) yield this.#read(row, liveRun);
    }
  }

  /** Number of the last row of the one sequence. */
  lastId(): number {
    return reading(this.path, () => lastRowId(this.#db));
  }

  /** Incidents, newest first. */
  incidents(filter: IncidentFilter = {}): HistoryIncident[] {
    const { kind, kinds = kind === undefined ? [] : [kind], limit = -1 } = filter;
    const [where, values] = rowCondition('incident', filter);
    const ofKind = kinds.length === 0 ? '' : `AND kind IN (${kinds.map(() => '?').join(', ')})`;
    const { module } = filter;
    const ofModule = module === undefined ? '' : 'AND EXISTS (SELECT 1 FROM json_tree(incident.facts) WHERE atom = ?)';
    const rows = this.#all<{ id: number; run: number | null; at_ms: number; kind: string; facts: string }>(
      `SELECT * FROM incident WHERE ${where} ${ofKind} ${ofModule} ORDER BY at_ms DESC, id DESC LIMIT ?`,
      ...values,
      ...kinds,
      ...(module === undefined ? [] : [module]),
      limit,
    );
    return rows.map(row => ({
      id: row.id,
      ...(row.run !== null && { runId: row.run }),
      atMs: row.at_ms,
      incident: { kind: row.kind, ...(JSON.parse(row.facts) as object) } as Incident,
    }));
  }

  /** Wishes for modules that no uevent brought, newest first; none in a ledger from before there were any. */
  requests(filter: Omit<IncidentFilter, 'kind' | 'kinds' | 'module'> = {}): RequestEntry[] {
    const liveRun = this.#liveRun();
    const [where, values] = rowCondition('request', filter);
    const rows = this.#all<RequestRow>(
      `SELECT request.*, asked.text AS asked_text, place.text AS devpath_text, decision.id AS decision_id,
         ending.id AS ending_id, ending.result
       FROM request JOIN str AS asked ON asked.id = request.asked LEFT JOIN str AS place ON place.id = request.devpath
         LEFT JOIN decision ON decision.entry = request.id LEFT JOIN ending ON ending.entry = request.id
       WHERE ${where} ORDER BY request.at_ms DESC, request.id DESC LIMIT ?`,
      ...values,
      filter.limit ?? -1,
    );
    return rows.map(row => reading(this.path, () => requestOf(row, this.#reader, liveRun)));
  }

  /** Devices that wait for an administrator's answer, oldest first. */
  pending(): readonly PendingItem[] {
    return reading(this.path, () => readPending(this.#db));
  }

  /** Which drivers a device had, oldest first. */
  bindsOf(devpath: Devpath): Bind[] {
    return this.#all<{ driver: string; at_ms: number }>(
      `SELECT name.text AS driver, at_ms FROM bind JOIN str AS name ON name.id = bind.driver
       WHERE devpath = (SELECT id FROM str WHERE text = ?) ORDER BY at_ms, bind.id`,
      this.#words.device(devpath),
    ).map(row => ({ devpath, driver: row.driver, atMs: row.at_ms }));
  }

  /** Daemon starts, newest first. */
  runs(): HistoryRun[] {
    return this.#all<Record<string, string | number | null>>(
      `SELECT run.*, run_end.at_ms AS ended_ms, run_end.reason FROM run LEFT JOIN run_end ON run_end.run = run.id
       ORDER BY run.id DESC`,
    ).map(row => ({
      id: Number(row['id']),
      bootId: String(row['boot_id']),
      startedAtMs: Number(row['started_ms']),
      kernelRelease: String(row['kernel']),
      version: String(row['version']),
      source: String(row['source']),
      mode: row['mode'] === 'load' ? 'load' : 'observe',
      ...(row['modules_dir'] !== null && { modulesDir: String(row['modules_dir']) }),
      ...(row['ended_ms'] !== null && { endedAtMs: Number(row['ended_ms']), endReason: String(row['reason']) }),
    }));
  }

  /** Answers that come from the tables beside the rows (questions.ts). */
  devices(filter: DeviceFilter = {}): KnownDevice[] {
    return reading(this.path, () => findDevices(this.#db, this.#words.named(filter)));
  }

  /** What is different at `nowMs` than before `sinceMs`. */
  changes(sinceMs: number, nowMs: number): Changes {
    return reading(this.path, () => findChanges(this.#db, sinceMs, nowMs));
  }

  connectedAt(atMs: number, filter: Pick<DeviceFilter, 'device' | 'subsystem'> = {}): Connected {
    return reading(this.path, () => findConnected(this.#db, atMs, this.#words.named(filter)));
  }

  drivers(filter: DriverFilter = {}): DriverSpan[] {
    return reading(this.path, () => findDrivers(this.#db, this.#words.named(filter)));
  }

  counts(key: GroupKey, filter: HistoryFilter = {}): Count[] {
    return reading(this.path, () => countBy(this.#db, key, filter));
  }

  /** How large the file is, without its log, and how many rows of the one sequence were ever written. */
  size(): { readonly sizeBytes: number; readonly rows: number } {
    const pages = this.#all<{ sizeBytes: number }>(
      'SELECT page_count * page_size AS sizeBytes FROM pragma_page_count, pragma_page_size',
    );
    return { sizeBytes: pages[0]?.sizeBytes ?? 0, rows: this.lastId() };
  }

  /**
   * Tells this ledger from another in the same place, as one begun after a damaged one was set aside: 16 hexadecimal digits, made from
   * its first run, which is never pruned; undefined before there is one.
   */
  identity(): string | undefined {
    const [first] = this.#all<{ id: number; boot_id: string; started_ms: number }>(
      'SELECT id, boot_id, started_ms FROM run ORDER BY id LIMIT 1',
    );
    return first && hash('sha256', `${first.id},${first.started_ms},${first.boot_id}`, 'hex').slice(0, 16);
  }

  /** Boots, newest first. */
  boots(): Boot[] {
    return reading(this.path, () => findBoots(this.#db));
  }

  /** Rows `first` to `last` of the one sequence, each as a record of its own. */
  records(first: number, last: number): IterableIterator<RowRecord> {
    return readRecords(this.#db, first, last);
  }

  /** What this retention would take now. */
  prunable(retention: Retention, nowMs: number): PruneCounts {
    return reading(this.path, () => countPrunable(this.#db, findCuts(this.#db, retention, nowMs)));
  }

  /** Answers a SELECT over the views. @throws {UsherdError} USAGE */
  sql(sql: string, maxRows: number): SqlAnswer {
    return reading(this.path, () => askSql(this.#db, sql, maxRows));
  }

  /** Compares every row with its seal, and every seal with the one before. Takes some 5 s per million rows. */
  verify(publicKeyFile?: string): Verification {
    return reading(this.path, () => verifyChain(this.#db, publicKeyFile));
  }

  /** The newest seal, signed when a key is given. @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE */
  anchor(keyFile?: string): Anchor | undefined {
    return reading(this.path, () => takeAnchor(this.#db, keyFile));
  }

  /** @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE */
  checkAnchor(anchor: Anchor, publicKeyFile?: string): AnchorCheck {
    return reading(this.path, () => checkAnchor(this.#db, anchor, publicKeyFile));
  }

  close(): void {
    this.#db.close();
  }

  #all<Found>(sql: string, ...values: readonly (string | number | bigint)[]): Found[] {
    return reading(this.path, () => this.#db.prepare<unknown[], Found>(sql).all(...values));
  }

  #read(row: EntryRow, liveRun: number | undefined): HistoryEntry {
    return reading(this.path, () => this.#reader.read(row, liveRun));
  }

  #one(where: string, value: string | number): HistoryEntry | undefined {
    const [row] = this.#all<EntryRow>(`SELECT ${ENTRY_COLUMNS} FROM ${ENTRY_TABLES} WHERE ${where}`, value);
    return row && this.#read(row, this.#liveRun());
  }

  /** The last run, when it has no end and somebody holds the writer's lock. */
  #liveRun(): number | undefined {
    const [last] = this.#all<{ id: number; reason: string | null }>(
      'SELECT run.id, reason FROM run LEFT JOIN run_end ON run_end.run = run.id ORDER BY run.id DESC LIMIT 1',
    );
    return last?.reason === null && findWriter(this.path) !== undefined ? last.id : undefined;
  }
}

function hasEnv({ event }: HistoryEntry, { env }: HistoryFilter): boolean {
  if (env === undefined) return true;
  const value = event.env[env.key];
  return value !== undefined && env.values.includes(value);
}

/** Conditions that rows of their own have in common; newest first, so what comes after a row is older. */
function rowCondition(
  table: 'incident' | 'request',
  { sinceMs = 0, untilMs = Number.MAX_VALUE, after, ...boots }: IncidentFilter,
): [where: string, values: readonly SqlValue[]] {
  const conditions: readonly [sql: string, ...values: SqlValue[]][] = [
    [`${table}.at_ms >= ? AND ${table}.at_ms < ?`, sinceMs, untilMs],
    ...bootConditions(`${table}.id`, boots),
    ...(after === undefined
      ? []
      : [
          [`(${table}.at_ms, ${table}.id) < (SELECT at_ms, id FROM ${table} WHERE id = ?)`, after] as [
            string,
            SqlValue,
          ],
        ]),
  ];
  return [conditions.map(([sql]) => sql).join(' AND '), conditions.flatMap(([, ...values]) => values)];
}
