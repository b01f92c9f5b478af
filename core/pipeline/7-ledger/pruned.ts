import type { Connection } from './database.ts';

/** What may be pruned by itself: events nothing was decided about, those with their decisions (and requests), and incidents. */
export const PRUNE_KINDS = ['events', 'decisions', 'incidents'] as const;
export type PruneKind = (typeof PRUNE_KINDS)[number];

/** Seals that went because no row of theirs was left. The chain goes on from `lastHash` where it came to `before`. */
export interface RemovedSeals {
  readonly before: string;
  readonly firstHash: string;
  readonly lastHash: string;
  /** How many rows they had covered. */
  readonly rows: number;
}

/**
 * What one pruning took and how the chain goes on without it; the facts of an incident `pruned`, which is a sealed row itself and
 * never pruned. `rows` were taken from rows `firstId` to `lastId`; the daemon's starts and ends are never taken.
 */
export interface PrunedRange {
  readonly firstId: number;
  readonly lastId: number;
  readonly rows: number;
  readonly counts: Readonly<Record<PruneKind, number>>;
  readonly seals: readonly RemovedSeals[];
  /** Ed25519 over the JSON of the fields above in this order (signature.ts), and the public key, both in base64. */
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

/** What the signature of a pruning is over. */
export function signedFacts({ firstId, lastId, rows, counts, seals }: PrunedRange): string {
  return `usherd pruned 1\n${JSON.stringify({ firstId, lastId, rows, counts, seals })}\n`;
}

/** Hash the chain came to → hash it goes on from, where seals went. */
export function chainJumps(ranges: readonly PrunedRange[]): ReadonlyMap<string, string> {
  return new Map(ranges.flatMap(({ seals }) => seals.map(({ before, lastHash }) => [before, lastHash] as const)));
}
