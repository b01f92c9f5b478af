import type { Connection } from './database.ts';
import { HOUR_MS } from './roll-ups.ts';

/** Answers told one by one; the rest is counted as one. */
const TOLD_MAX = 100;

/** A row that an answer would leave out: `table` is what questions are answered from, and `id` the entry that is not in it as it should be. */
export interface Unlisted {
  readonly id: number;
  readonly table: 'tag' | 'device' | 'activity';
}

const named = (text: string): string => `(SELECT id FROM str WHERE text = ${text})`;
const ofUevent = 'entry IN (SELECT id FROM uevent)';

/**
 * The tables beside the rows are not sealed, and whoever takes a line out of them hides what happened from every question. Compares them with
 * the rows: each decision's modules, verdicts and winning rules and each result must be tagged, each device listed, and each hour have at least
 * the events there are. Rows say it all, so that nothing is lost: usher history export reads only them.
 */
export function findUnlisted(db: Connection): readonly Unlisted[] {
  const tagged = (what: string, entry: string): string =>
    `EXISTS (SELECT 1 FROM tag WHERE tag.what = ${what} AND tag.entry = ${entry})`;
  const found = (table: Unlisted['table'], sql: string): readonly Unlisted[] =>
    db
      .prepare<[number], number>(`${sql} LIMIT ?`)
      .pluck()
      .all(TOLD_MAX)
      .map(id => ({ id, table }));
  const ruleText = `'rule=' || judgement.verdict || ' ' || CASE WHEN place.id IS NULL THEN (SELECT text FROM str WHERE id = opinion.by)
    ELSE (SELECT text FROM str WHERE id = place.file) || CASE WHEN place.line IS NULL THEN '' ELSE ':' || place.line END END`;
  return [
    ...found(
      'tag',
      `SELECT entry FROM ending WHERE ${ofUevent} AND NOT ${tagged(named("'result=' || ending.result"), 'ending.entry')}`,
    ),
    ...found(
      'tag',
      `SELECT DISTINCT entry FROM decision JOIN judgement ON judgement.decision = decision.id WHERE ${ofUevent}
         AND NOT (${tagged('judgement.module', 'entry')} AND ${tagged(named("'verdict=' || judgement.verdict"), 'entry')})`,
    ),
    ...found(
      'tag',
      `SELECT DISTINCT entry FROM decision JOIN judgement ON judgement.decision = decision.id
         JOIN opinion ON opinion.decision = decision.id AND opinion.judgement = judgement.pos AND opinion.pos = judgement.winner
         LEFT JOIN place ON place.id = opinion.place WHERE ${ofUevent} AND NOT ${tagged(named(ruleText), 'entry')}`,
    ),
    ...found(
      'device',
      `SELECT min(id) FROM uevent GROUP BY devpath, coalesce(modalias, 0)
         HAVING NOT EXISTS (SELECT 1 FROM device WHERE device.devpath = uevent.devpath AND device.modalias = coalesce(uevent.modalias, 0))`,
    ),
    ...found(
      'activity',
      `SELECT min(id) FROM uevent GROUP BY CAST(at_ms / ${HOUR_MS} AS INTEGER), subsystem, action, origin
         HAVING count(*) > coalesce((SELECT n FROM activity WHERE hour = CAST(uevent.at_ms / ${HOUR_MS} AS INTEGER)
           AND activity.subsystem = uevent.subsystem AND activity.action = uevent.action AND activity.origin = uevent.origin), 0)`,
    ),
  ];
}
