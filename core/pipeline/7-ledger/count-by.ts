import { UsherdError } from '../../errors.ts';
import type { Connection } from './database.ts';
import type { HistoryFilter, SqlValue } from './history-filter.ts';
import { DAY_MS, HOUR_MS } from './roll-ups.ts';

/** What entries can be counted by. */
export const GROUP_KEYS = [
  'hour',
  'day',
  'subsystem',
  'action',
  'origin',
  'device',
  'module',
  'verdict',
  'rule',
  'outcome',
] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

export interface Count {
  /** Hours and days as ISO 8601 in UTC. */
  readonly key: string;
  readonly count: number;
}

/** Conditions each kind of count can take; all come from the counts that are kept, never from going through the events. */
const TAKES: Readonly<Record<'activity' | 'tally' | 'device', readonly (keyof HistoryFilter)[]>> = {
  activity: ['sinceMs', 'untilMs', 'subsystem', 'action', 'origin'],
  tally: ['sinceMs', 'untilMs', 'verdict'],
  device: ['subsystem'],
};

/**
 * Counts entries, most first; hours and days in their order. Times count in whole hours, for modules, verdicts, rules and outcomes in
 * whole days (UTC): whatever the window touches.
 * @throws {UsherdError} USAGE when a condition cannot be joined with this key
 */
export function countBy(db: Connection, key: GroupKey, filter: HistoryFilter): Count[] {
  switch (key) {
    case 'device':
      refuseOthers(key, filter, TAKES.device);
      return counts(
        db,
        `SELECT text AS key, sum(events) AS count FROM device JOIN str ON str.id = device.devpath
         ${filter.subsystem === undefined ? '' : 'WHERE subsystem = (SELECT id FROM str WHERE text = ?)'}
         GROUP BY devpath ORDER BY count DESC, key`,
        filter.subsystem === undefined ? [] : [filter.subsystem],
      );
    case 'module':
    case 'verdict':
    case 'rule':
    case 'outcome':
      return countTags(db, key, filter);
    default:
      return countActivity(db, key, filter);
  }
}

function countActivity(
  db: Connection,
  key: 'hour' | 'day' | 'subsystem' | 'action' | 'origin',
  filter: HistoryFilter,
): Count[] {
  refuseOthers(key, filter, TAKES.activity);
  const { sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER } = filter;
  const parts = ['hour >= ?', 'hour * ? < ?'];
  const values: SqlValue[] = [Math.floor(sinceMs / HOUR_MS), HOUR_MS, untilMs];
  for (const column of ['subsystem', 'action', 'origin'] as const) {
    const text = filter[column];
    if (text === undefined) continue;
    parts.push(`${column} = (SELECT id FROM str WHERE text = ?)`);
    values.push(text);
  }
  const where = parts.join(' AND ');
  if (key !== 'hour' && key !== 'day')
    return counts(
      db,
      `SELECT (SELECT text FROM str WHERE id = ${key}) AS key, sum(n) AS count FROM activity WHERE ${where}
       GROUP BY activity.${key} ORDER BY count DESC, key`,
      values,
    );
  const hours = key === 'hour' ? 1 : 24;
  return counts(
    db,
    `SELECT hour / ${hours} AS key, sum(n) AS count FROM activity WHERE ${where} GROUP BY 1 ORDER BY 1`,
    values,
  ).map(({ key: number, count }) => {
    const iso = new Date(Number(number) * hours * HOUR_MS).toISOString();
    return { key: key === 'hour' ? `${iso.slice(0, 13)}:00Z` : iso.slice(0, 10), count };
  });
}

function countTags(db: Connection, key: 'module' | 'verdict' | 'rule' | 'outcome', filter: HistoryFilter): Count[] {
  refuseOthers(key, filter, key === 'rule' ? TAKES.tally : TAKES.tally.filter(field => field !== 'verdict'));
  const { sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER, verdict } = filter;
  const prefix = { module: '', verdict: 'verdict=', rule: `rule=${verdict ?? ''}`, outcome: 'result=' }[key];
  const isWanted = key === 'module' ? "instr(text, '=') = 0" : 'substr(text, 1, length(?)) = ?';
  return counts(
    db,
    `SELECT text AS key, sum(n) AS count FROM tally JOIN str ON str.id = what
     WHERE ${isWanted} AND day >= ? AND day * ? < ? GROUP BY what ORDER BY count DESC, key`,
    [...(key === 'module' ? [] : [prefix, prefix]), Math.floor(sinceMs / DAY_MS), DAY_MS, untilMs],
  ).map(({ key: text, count }) => ({ key: text.slice(text.indexOf('=') + 1), count }));
}

function counts(db: Connection, sql: string, values: readonly SqlValue[]): Count[] {
  return db
    .prepare<SqlValue[], Record<string, string | number>>(sql)
    .all(...values)
    .map(row => ({ key: String(row['key']), count: Number(row['count']) }));
}

function refuseOthers(key: GroupKey, filter: HistoryFilter, takes: readonly (keyof HistoryFilter)[]): void {
  const always: readonly (keyof HistoryFilter)[] = ['order', 'limit'];
  const other = (Object.keys(filter) as (keyof HistoryFilter)[]).find(
    field => filter[field] !== undefined && !takes.includes(field) && !always.includes(field),
  );
  if (other === undefined) return;
  throw new UsherdError(
    'USAGE',
    `counting by ${key} takes no condition on ${other}, only on ${takes.join(', ')}; usher history sql can count by anything`,
  );
}
