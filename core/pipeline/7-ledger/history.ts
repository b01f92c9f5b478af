import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Modalias } from '../../vocabulary/modalias.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { openForReading, reading, type Connection } from './database.ts';
import { ENTRY_COLUMNS, ENTRY_TABLES, EntryReader, type EntryRow } from './entry-reader.ts';
import type { Bind, HistoryEntry, HistoryIncident, HistoryRun } from './history-entry.ts';
import { conditionOf, type HistoryFilter } from './history-filter.ts';
import type { Incident, IncidentKind } from './incident.ts';
import type { EntryId } from './ledger.ts';
import type { PendingItem } from '../4-policy/pending-queue.ts';
import { readPending } from './pending-rows.ts';
import { requestOf, type RequestEntry, type RequestRow } from './request-entry.ts';
import { findWriter } from './writer-lock.ts';

/** Entries fetched at once: few enough that a reader who stops early wasted nothing, and no read keeps a checkpoint waiting. */
const PAGE_ROWS = 256;

/** What a decision is looked up by. */
export type DecisionSubject =
  | { readonly devpath: Devpath }
  | { readonly module: ModuleName }
  | { readonly modalias: Modalias };

export interface IncidentFilter {
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly kind?: IncidentKind;
  readonly limit?: number;
}

/** Reads the record, from a connection of its own that can write nothing. Works beside a daemon, and without one. */
export class History {
  readonly path: string;
  readonly #db: Connection;
  readonly #reader: EntryReader;

  /** @throws {UsherdError} FILE_UNREADABLE, LEDGER_DAMAGED, LEDGER_NEWER */
  static open(file: string): History {
    return new History(file, openForReading(file));
  }

  private constructor(path: string, db: Connection) {
    this.path = path;
    this.#db = db;
    this.#reader = reading(path, () => new EntryReader(db));
  }

  /** Entries that meet the filter, by the time they were received, newest first unless the filter says otherwise. */
  *query(filter: HistoryFilter = {}): IterableIterator<HistoryEntry> {
    const liveRun = this.#liveRun();
    const { where, values } = conditionOf(filter, liveRun);
    const [direction, beyond] = filter.order === 'oldest-first' ? ['ASC', '>'] : ['DESC', '<'];
    const order = `ORDER BY uevent.at_ms ${direction}, uevent.id ${direction} LIMIT ?`;
    const first = `SELECT ${ENTRY_COLUMNS} FROM ${ENTRY_TABLES} WHERE ${where}`;
    const next = `${first} AND (uevent.at_ms, uevent.id) ${beyond} (?, ?)`;
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    let cursor = filter.after === undefined ? [] : this.#cursorOf(filter.after);
    while (left > 0 && cursor !== undefined) {
      const count = Math.min(left, PAGE_ROWS);
      const page = cursor.length === 0 ? first : next;
      const rows = this.#all<EntryRow>(`${page} ${order}`, ...values, ...cursor, count);
      for (const row of rows) yield this.#read(row, liveRun);
      const last = rows.at(-1);
      if (last === undefined || rows.length < count) return;
      cursor = [last.at_ms, last.id];
      left -= count;
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
    if ('devpath' in subject) return this.#one(latest('devpath'), subject.devpath);
    if ('modalias' in subject) return this.#one(latest('modalias'), subject.modalias);
    return this.#one(
      `decision.id = (SELECT max(decision) FROM mention JOIN decision ON decision.id = decision
         WHERE module = ${named} AND ${ofUevent})`,
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
    const tables = ['run', 'run_end', 'uevent', 'decision', 'ending', 'bind', 'incident'];
    const newest = tables.map(table => `SELECT max(id) AS id FROM ${table}`).join(' UNION ALL ');
    return this.#all<{ id: number | null }>(`SELECT max(id) AS id FROM (${newest})`)[0]?.id ?? 0;
  }

  /** Incidents, newest first. */
  incidents({ sinceMs = 0, untilMs = Number.MAX_VALUE, kind, limit = -1 }: IncidentFilter = {}): HistoryIncident[] {
    const ofKind = kind === undefined ? '' : 'AND kind = ?';
    const rows = this.#all<{ id: number; run: number | null; at_ms: number; kind: string; facts: string }>(
      `SELECT * FROM incident WHERE at_ms >= ? AND at_ms < ? ${ofKind} ORDER BY at_ms DESC, id DESC LIMIT ?`,
      sinceMs,
      untilMs,
      ...(kind === undefined ? [] : [kind]),
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
  requests({ sinceMs = 0, untilMs = Number.MAX_VALUE, limit = -1 }: Omit<IncidentFilter, 'kind'> = {}): RequestEntry[] {
    if (Number(this.#db.pragma('user_version', { simple: true })) < 2) return [];
    const liveRun = this.#liveRun();
    const rows = this.#all<RequestRow>(
      `SELECT request.*, asked.text AS asked_text, place.text AS devpath_text, decision.id AS decision_id,
         ending.id AS ending_id, ending.result
       FROM request JOIN str AS asked ON asked.id = request.asked LEFT JOIN str AS place ON place.id = request.devpath
         LEFT JOIN decision ON decision.entry = request.id LEFT JOIN ending ON ending.entry = request.id
       WHERE request.at_ms >= ? AND request.at_ms < ? ORDER BY request.at_ms DESC, request.id DESC LIMIT ?`,
      sinceMs,
      untilMs,
      limit,
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
      devpath,
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

  #cursorOf(id: EntryId): number[] | undefined {
    const [row] = this.#all<{ at_ms: number }>('SELECT at_ms FROM uevent WHERE id = ?', id);
    return row && [row.at_ms, id];
  }

  /** The last run, when it has no end and somebody holds the writer's lock. */
  #liveRun(): number | undefined {
    const [last] = this.#all<{ id: number; reason: string | null }>(
      'SELECT run.id, reason FROM run LEFT JOIN run_end ON run_end.run = run.id ORDER BY run.id DESC LIMIT 1',
    );
    return last?.reason === null && findWriter(this.path) !== undefined ? last.id : undefined;
  }
}
