import type { Connection } from './database.ts';
import type { Incident, IncidentKind } from './incident.ts';

/** The newest incident of one of these kinds, or undefined when there was none. */
export function readLastIncident<Kind extends IncidentKind>(
  db: Connection,
  kinds: readonly Kind[],
): Extract<Incident, { kind: Kind }> | undefined {
  const marks = kinds.map(() => '?').join(', ');
  const row = db
    .prepare<string[], { kind: string; facts: string }>(
      `SELECT kind, facts FROM incident WHERE kind IN (${marks}) ORDER BY id DESC LIMIT 1`,
    )
    .get(...kinds);
  return row && ({ kind: row.kind, ...(JSON.parse(row.facts) as object) } as Extract<Incident, { kind: Kind }>);
}
