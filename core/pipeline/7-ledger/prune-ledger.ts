import type { LedgerFile } from './ledger-file.ts';
import { pruneStretch } from './prune.ts';
import { signedFacts, type PrunedRange } from './pruned.ts';
import type { PruneCuts } from './retention.ts';
import { signText } from './signature.ts';

/** Who asked for a pruning, when somebody did, and the private key that what is told of it is signed with. */
export interface PruneOrder {
  readonly keyFile?: string | undefined;
  readonly uid?: number | undefined;
}

/** The incident of a pruning. */
export type PrunedIncident = { readonly kind: 'pruned'; readonly uid?: number } & PrunedRange;

/**
 * Takes one stretch of rows in a transaction that also has the incident that tells it, which `tell` writes; undefined when there was nothing to
 * take. @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE of the key
 */
export function pruneTold(
  { db, writer }: LedgerFile,
  { cuts, first }: { readonly cuts: PruneCuts; readonly first: number },
  { keyFile, uid }: PruneOrder,
  tell: (incident: PrunedIncident) => void,
): PrunedRange | undefined {
  const stretch = db.transaction(() => {
    const range = pruneStretch(db, cuts, first);
    if (range === undefined) return undefined;
    const signed = keyFile === undefined ? range : { ...range, ...signText(signedFacts(range), keyFile) };
    tell({ kind: 'pruned', ...signed, ...(uid !== undefined && { uid }) });
    return signed;
  });
  try {
    return stretch.immediate();
  } catch (error) {
    writer.forget();
    throw error;
  }
}
