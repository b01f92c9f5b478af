import type { Connection } from './database.ts';
import { ROW_SHAPES } from './row-shapes.ts';

const NEWEST = ROW_SHAPES.map(({ table }) => `SELECT max(id) AS id FROM ${table}`).join(' UNION ALL ');

/** Highest id of the one sequence; 0 in a new file. */
export function lastRowId(db: Connection): number {
  return db.prepare<[], number | null>(`SELECT max(id) FROM (${NEWEST})`).pluck().get() ?? 0;
}
