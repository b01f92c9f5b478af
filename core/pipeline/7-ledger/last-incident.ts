import type { Connection } from './database.ts';
import type { Incident, IncidentKind } from './incident.ts';

/** The newest incident of one of these kinds, or undefined when there was none. */
export function readLastIncident<Kind extends IncidentKind>(
  db: Connection,
  kinds: readonly Kind[],
): Extract<Incident, { kind: Kind }> | undefined {
  const marks = kinds.map(() => '?').join(', ');
  const row = db
    .prepare<string[], [kind: string, facts: string]>(
      `SELECT kind, facts FROM incident WHERE kind IN (${marks}) ORDER BY id DESC LIMIT 1`,
    )
    // A row as an object has a function made and compiled for it.
    .raw()
    .get(...kinds);
  if (row === undefined) return undefined;
  const [kind, facts] = row;
  return { kind, ...(JSON.parse(facts) as object) } as Extract<Incident, { kind: Kind }>;
}
