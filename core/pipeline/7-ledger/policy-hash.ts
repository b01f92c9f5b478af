import type { Connection } from './database.ts';

/** Hash of the standing decisions' file as the ledger last heard of it, or undefined when it never did. */
export function readPolicyHash(db: Connection): string | undefined {
  const facts = db
    .prepare("SELECT facts FROM incident WHERE kind IN ('policy-changed', 'policy-edited') ORDER BY id DESC LIMIT 1")
    .pluck()
    .get();
  return typeof facts === 'string' ? (JSON.parse(facts) as { hash?: string }).hash : undefined;
}
