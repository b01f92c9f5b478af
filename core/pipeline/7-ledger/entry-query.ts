import type { Connection } from './database.ts';
import { ENTRY_COLUMNS, ENTRY_TABLES, type EntryRow } from './entry-reader.ts';
import {
  deviceCondition,
  searchOf,
  type DeviceSpread,
  type EntrySearch,
  type HistoryFilter,
  type SqlValue,
} from './history-filter.ts';
import { lastRowId } from './last-row.ts';
import { HOUR_MS } from './roll-ups.ts';

/** Entries fetched at once: few enough that a reader who stops early wasted nothing, and no read keeps a checkpoint waiting. */
const PAGE_ROWS = 256;

/** Where a page ended. */
type Cursor = Pick<EntryRow, 'at_ms' | 'id'>;
const CURSOR = 'SELECT at_ms, id FROM uevent WHERE id = ?';

/** From, inclusive, and until, exclusive, in milliseconds since 1970. */
type Window = readonly [fromMs: number, untilMs: number];

/** Finds rows of entries that meet a filter, page by page, by whatever index has the fewest. */
export class EntryQuery {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Rows that may meet the filter, in its order; whether they have what is asked of their environment, who reads them must say. */
  *rows(filter: HistoryFilter, liveRun: number | undefined): IterableIterator<EntryRow> {
    const search = searchOf(filter, liveRun, this.#spreadOf(filter));
    const after = filter.after === undefined ? undefined : this.#all<Cursor>(CURSOR, filter.after)[0];
    if (filter.after !== undefined && after === undefined) return;
    for (const window of search.isInActivity ? this.#activeWindows(filter) : [undefined])
      yield* this.#rows(filter, search, window, after);
  }

  /** Rows of a search, page by page. */
  *#rows(
    { order = 'newest-first', limit = PAGE_ROWS, env }: HistoryFilter,
    search: EntrySearch,
    window: Window | undefined,
    after: Cursor | undefined,
  ): IterableIterator<EntryRow> {
    const [direction, beyond] = order === 'oldest-first' ? ['ASC', '>'] : ['DESC', '<'];
    const key = search.driving === '' ? 'uevent.id' : 'driving.entry';
    const isByTime = search.order === 'time';
    const inWindow = window === undefined ? '' : 'AND uevent.at_ms >= ? AND uevent.at_ms < ?';
    const next = isByTime ? `AND (uevent.at_ms, uevent.id) ${beyond} (?, ?)` : `AND ${key} ${beyond} ?`;
    const sorted = isByTime ? `uevent.at_ms ${direction}, uevent.id ${direction}` : `${key} ${direction}`;
    // Of rows that may turn out not to have the value that is looked for, a full page.
    const count = env === undefined ? Math.min(limit, PAGE_ROWS) : PAGE_ROWS;
    let cursor = after;
    for (;;) {
      const found = this.#all<EntryRow>(
        `SELECT ${ENTRY_COLUMNS} FROM ${search.driving} ${ENTRY_TABLES}
         WHERE ${search.where} ${inWindow} ${cursor === undefined ? '' : next} ORDER BY ${sorted} LIMIT ?`,
        ...search.values,
        ...(window ?? []),
        ...(cursor === undefined ? [] : isByTime ? [cursor.at_ms, cursor.id] : [cursor.id]),
        count,
      );
      // A rule that gave two verdicts for one entry finds it twice.
      yield* found.filter((row, n) => row.id !== found[n - 1]?.id);
      cursor = found.at(-1);
      if (found.length < count) return;
    }
  }

  /**
   * How the events of a pattern of devices lie in time. By device all of them would be read and sorted; by time, so many until a page is
   * full as there are events between two of theirs.
   */
  #spreadOf({ device, limit = PAGE_ROWS }: HistoryFilter): DeviceSpread | undefined {
    if (device === undefined) return undefined;
    const [where, pattern] = deviceCondition(device, 'devpath');
    // Events of a single device come in their order by themselves.
    if (!where.includes(' IN ')) return undefined;
    const [row] = this.#all<{ events: number | null; firstMs: number; lastMs: number }>(
      `SELECT sum(events) AS events, min(first_ms) AS firstMs, max(last_ms) AS lastMs FROM device WHERE ${where}`,
      pattern,
    );
    const events = row?.events ?? 0;
    if (row === undefined || events === 0) return undefined;
    const untilFull = (Math.min(limit, PAGE_ROWS) * lastRowId(this.#db)) / events;
    return { isOften: untilFull < events, firstMs: row.firstMs, lastMs: row.lastMs };
  }

  /** Spans of whole hours that have events of these kinds, in the filter's order. */
  #activeWindows({
    subsystem,
    action,
    origin,
    sinceMs = 0,
    untilMs = Number.MAX_VALUE,
    order,
  }: HistoryFilter): Window[] {
    const wanted = Object.entries({ subsystem, action, origin }).filter(([, text]) => text !== undefined);
    const hours = this.#all<{ hour: number }>(
      `SELECT DISTINCT hour FROM activity WHERE hour >= ? AND hour <= ?
       ${wanted.map(([column]) => `AND ${column} = (SELECT id FROM str WHERE text = ?)`).join(' ')} ORDER BY hour`,
      Math.floor(sinceMs / HOUR_MS),
      Math.floor(untilMs / HOUR_MS),
      ...wanted.map(([, text]) => text ?? ''),
    );
    const windows: [number, number][] = [];
    for (const { hour } of hours) {
      const last = windows.at(-1);
      if (last?.[1] === hour * HOUR_MS) last[1] += HOUR_MS;
      else windows.push([hour * HOUR_MS, (hour + 1) * HOUR_MS]);
    }
    return order === 'oldest-first' ? windows : windows.toReversed();
  }

  #all<Found>(sql: string, ...values: readonly SqlValue[]): Found[] {
    return this.#db.prepare<unknown[], Found>(sql).all(...values);
  }
}
