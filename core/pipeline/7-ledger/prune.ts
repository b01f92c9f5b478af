import type { Connection } from './database.ts';
import { chainJumps, prunedRanges, type PruneKind, type PrunedRange, type RemovedSeals } from './pruned.ts';
import type { PruneCuts } from './retention.ts';
import { ROW_SHAPES } from './row-shapes.ts';
import { CHAIN_BEGIN, sealedRows, type Seal } from './seals.ts';

/** Numbers gone through in one transaction: some 0.3 s in which no event is written, which the socket's buffer bridges. */
export const PRUNED_AT_ONCE = 50_000;

/** Incidents that tell who changed what decides, and what was pruned, are never pruned. */
const KEPT_INCIDENTS = `('pruned', 'policy-changed', 'policy-edited', 'policy-change-failed', 'policy-overridden', 'rules-loaded',
  'settings-changed', 'plugin-loaded', 'plugin-unloaded', 'damaged-ledger', 'rows-lost')`;

/** What a pruning takes, as it would be or was. */
export type PruneCounts = Readonly<Record<PruneKind, number>>;

/** How many rows of the one sequence these cuts would take, without taking them. */
export function countPrunable(db: Connection, cuts: PruneCuts): PruneCounts {
  const count = (sql: string, ...values: readonly number[]): number =>
    Number(
      db
        .prepare<number[], number>(`SELECT count(*) FROM ${sql}`)
        .pluck()
        .get(...values),
    );
  const decided = 'SELECT entry FROM decision';
  const ended = `entry <= ? AND entry IN (SELECT entry FROM ending)`;
  return {
    events:
      count(`uevent WHERE id <= ? AND id NOT IN (${decided})`, cuts.events) +
      count(`bind WHERE id <= ? AND (entry IS NULL OR entry NOT IN (${decided}))`, cuts.events),
    decisions: count(`decision WHERE ${ended}`, cuts.decisions) * 3 + count(`bind WHERE ${ended}`, cuts.decisions),
    incidents: count(`incident WHERE id <= ? AND kind NOT IN ${KEPT_INCIDENTS}`, cuts.incidents),
  };
}

/**
 * Takes one stretch of rows, the seals that have none left, and answers with what was taken, for the incident that tells it; undefined
 * when nothing was. Use only inside the transaction that writes that incident. An entry that was never ended is kept: that it was
 * interrupted is worth knowing.
 */
export function pruneStretch(db: Connection, cuts: PruneCuts, firstId: number): PrunedRange | undefined {
  const end = firstId + PRUNED_AT_ONCE - 1;
  const to = (kind: PruneKind): number => Math.min(end, cuts[kind]);
  const taken = new Taken();
  const take = (kind: PruneKind, table: string, where: string, ...values: readonly number[]): void => {
    const sql = `DELETE FROM ${table} WHERE ${where} RETURNING id`;
    taken.add(
      kind,
      db
        .prepare<number[], number>(sql)
        .pluck()
        .all(...values),
    );
  };
  const run = (sql: string, ...values: readonly number[]): void => void db.prepare<number[]>(sql).run(...values);
  const between = (column: string): string => `${column} >= ? AND ${column} <= ?`;

  const decided = `SELECT entry FROM decision WHERE ${between('entry')}`;
  const inStretch = [firstId, to('events')] as const;
  take('events', 'uevent', `${between('id')} AND id NOT IN (${decided})`, ...inStretch, ...inStretch);
  take(
    'events',
    'bind',
    `${between('id')} AND (entry IS NULL OR entry NOT IN (SELECT entry FROM decision))`,
    ...inStretch,
  );

  const ended = [firstId, to('decisions')] as const;
  const entries = `SELECT entry FROM ending WHERE ${between('entry')}`;
  for (const table of ['candidate', 'judgement', 'opinion', 'plan', 'plan_step'])
    run(`DELETE FROM ${table} WHERE decision IN (SELECT id FROM decision WHERE entry IN (${entries}))`, ...ended);
  for (const table of ['uevent', 'request'])
    take('decisions', table, `${between('id')} AND id IN (${entries})`, ...ended, ...ended);
  for (const table of ['decision', 'bind']) take('decisions', table, `entry IN (${entries})`, ...ended);
  run(`DELETE FROM outcome WHERE ending IN (SELECT id FROM ending WHERE ${between('entry')})`, ...ended);
  const tags = db.prepare<[], number>('SELECT DISTINCT what FROM tally').pluck().all();
  const untag = db.prepare(`DELETE FROM tag WHERE what = ? AND entry IN (${entries})`);
  if (ended[1] >= ended[0]) for (const what of tags) untag.run(what, ...ended);
  take('decisions', 'ending', between('entry'), ...ended);

  take('incidents', 'incident', `${between('id')} AND kind NOT IN ${KEPT_INCIDENTS}`, firstId, to('incidents'));
  if (taken.rows === 0) return undefined;
  const { firstId: first, lastId: last, rows, counts } = taken;
  return { firstId: first, lastId: last, rows, counts, seals: removeEmptySeals(db, first, last) };
}

class Taken {
  firstId = Number.MAX_SAFE_INTEGER;
  lastId = 0;
  rows = 0;
  readonly counts: Record<PruneKind, number> = { events: 0, decisions: 0, incidents: 0 };

  add(kind: PruneKind, ids: readonly number[]): void {
    for (const id of ids) {
      this.firstId = Math.min(this.firstId, id);
      this.lastId = Math.max(this.lastId, id);
    }
    this.rows += ids.length;
    this.counts[kind] += ids.length;
  }
}

/** Seals of which no row is left go, but for the newest: the next one is made from its hash. */
function removeEmptySeals(db: Connection, firstId: number, lastId: number): RemovedSeals[] {
  const jumps = chainJumps(prunedRanges(db));
  const follow = (hash: string): string => {
    const next = jumps.get(hash);
    return next === undefined ? hash : follow(next);
  };
  const before = db
    .prepare<[number], Buffer>('SELECT hash FROM seal WHERE last < ? ORDER BY first DESC LIMIT 1')
    .pluck()
    .get(firstId);
  const seals = db
    .prepare<[number, number], Seal>(
      'SELECT * FROM seal WHERE last >= ? AND first <= ? AND first < (SELECT max(first) FROM seal) ORDER BY first',
    )
    .all(firstId, lastId);
  const holdsRow = ROW_SHAPES.map(({ table }) =>
    db.prepare<[number, number]>(`SELECT 1 FROM ${table} WHERE id >= ? AND id <= ? LIMIT 1`),
  );
  const remove = db.prepare('DELETE FROM seal WHERE first = ?');
  const removed: RemovedSeals[] = [];
  let head = (before ?? CHAIN_BEGIN).toString('hex');
  for (const seal of seals) {
    const hash = seal.hash.toString('hex');
    const isEmpty = holdsRow.every(statement => statement.get(seal.first, seal.last) === undefined);
    if (isEmpty) {
      remove.run(seal.first);
      const last = removed.at(-1);
      // Those that follow one another are one stretch of the chain.
      if (last !== undefined && last.lastHash === follow(head))
        removed[removed.length - 1] = { ...last, lastHash: hash, rows: last.rows + sealedRows(seal) };
      else removed.push({ before: follow(head), firstHash: hash, lastHash: hash, rows: sealedRows(seal) });
    }
    head = hash;
  }
  return removed;
}
