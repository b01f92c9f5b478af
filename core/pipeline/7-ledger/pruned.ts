import type { Connection } from './database.ts';

/** What may be pruned by itself: events nothing was decided about, those with their decisions, and incidents. */
export const PRUNE_KINDS = ['events', 'decisions', 'incidents'] as const;
export type PruneKind = (typeof PRUNE_KINDS)[number];

/**
 * What one pruning took and how the chain goes on without it; the facts of an incident `pruned`, which is a sealed row itself and
 * never pruned. `rows` were taken from rows `firstId` to `lastId`. When the oldest seals had no row left they went too:
 * `rowsOfRemovedSeals` is how many rows they had covered, `firstHash` and `lastHash` are those of the first and the last of them, and
 * the seal that is now the oldest follows `lastHash`.
 */
export interface PrunedRange {
  readonly firstId: number;
  readonly lastId: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly rows: number;
  readonly counts: Readonly<Record<PruneKind, number>>;
  readonly rowsOfRemovedSeals: number;
  readonly firstHash?: string;
  readonly lastHash?: string;
  /** Ed25519 over the other fields (signature.ts), and the public key it can be checked with, both in base64. */
  readonly signature?: string;
  readonly publicKey?: string;
}

/** All prunings, oldest first. */
export function prunedRanges(db: Connection): PrunedRange[] {
  return db
    .prepare<[], string>("SELECT facts FROM incident WHERE kind = 'pruned' ORDER BY id")
    .pluck()
    .all()
    .map(facts => JSON.parse(facts) as PrunedRange);
}
