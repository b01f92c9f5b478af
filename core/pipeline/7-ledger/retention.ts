import type { Connection } from './database.ts';
import { DAY_MS } from './roll-ups.ts';
import type { PruneKind } from './pruned.ts';

/** How long what is kept. An absent bound keeps all. */
export interface Retention {
  readonly eventDays?: number | undefined;
  readonly decisionDays?: number | undefined;
  readonly incidentDays?: number | undefined;
  /** Events nothing was decided about. */
  readonly maxEvents?: number | undefined;
  /** Of the file's used pages; the oldest events go first, decisions when that is not enough. */
  readonly maxBytes?: number | undefined;
}

/** What retention would take: rows of each kind up to and with this id; 0 takes none. */
export type PruneCuts = Readonly<Record<PruneKind, number>>;

/** Events and decisions share a row number; where bytes decide, so much more is taken, so that not every day takes a little. */
const BYTES_SLACK = 1.05;

export function keepsAll(retention: Retention): boolean {
  return Object.values(retention).every(bound => bound === undefined);
}

/** Retention → how far back each kind goes at this moment. Reads; the ledger's writer acts. */
export function findCuts(db: Connection, retention: Retention, nowMs: number): PruneCuts {
  const { eventDays, decisionDays, incidentDays, maxEvents, maxBytes } = retention;
  const before = (table: string, days: number | undefined): number => {
    if (days === undefined) return 0;
    const sql = `SELECT id FROM ${table} WHERE at_ms < ? ORDER BY at_ms DESC, id DESC LIMIT 1`;
    return (
      db
        .prepare<[number], number>(sql)
        .pluck()
        .get(nowMs - days * DAY_MS) ?? 0
    );
  };
  const events = Math.max(before('uevent', eventDays), beyondCount(db, maxEvents), beyondBytes(db, maxBytes));
  const isNotEnough = maxBytes !== undefined && events >= newestEvent(db);
  return {
    events,
    decisions: isNotEnough ? beyondBytes(db, maxBytes) : before('uevent', decisionDays),
    incidents: before('incident', incidentDays),
  };
}

function newestEvent(db: Connection): number {
  return db.prepare<[], number | null>('SELECT max(id) FROM uevent').pluck().get() ?? 0;
}

function beyondCount(db: Connection, maxEvents: number | undefined): number {
  if (maxEvents === undefined) return 0;
  return (
    db.prepare<[number], number>('SELECT id FROM uevent ORDER BY id DESC LIMIT 1 OFFSET ?').pluck().get(maxEvents) ?? 0
  );
}

function beyondBytes(db: Connection, maxBytes: number | undefined): number {
  if (maxBytes === undefined) return 0;
  const [pages = 0, free = 0, size = 0] = ['page_count', 'freelist_count', 'page_size'].map(name =>
    Number(db.pragma(name, { simple: true })),
  );
  const used = (pages - free) * size;
  if (used <= maxBytes) return 0;
  const [first, last] = db
    .prepare<[], [number | null, number | null]>('SELECT min(id), max(id) FROM uevent')
    .raw()
    .get() ?? [null, null];
  if (first === null || last === null) return 0;
  const share = Math.min(1, ((used - maxBytes) / used) * BYTES_SLACK);
  return Math.ceil(first + (last - first) * share);
}
