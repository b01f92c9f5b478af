import type { Connection } from './database.ts';
import { prunedRanges } from './pruned.ts';
import type { Seal } from './seals.ts';
import { isSignedBy, signText, type Signature } from './signature.ts';

/**
 * The newest seal, to be kept where an intruder cannot reach it. Whoever rewrites the ledger can make a chain that agrees with itself,
 * and whoever cuts its end off leaves a shorter one that does; neither can make it agree with an anchor taken before.
 */
export interface Anchor extends Partial<Signature> {
  readonly usherdAnchor: 1;
  /** Last row of the seal. */
  readonly lastId: number;
  /** Hash of the seal, in hexadecimal. */
  readonly hash: string;
  readonly sealedAtMs: number;
}

/** How a ledger stands to an anchor. `pruned`: the seal is older than what is kept. */
export type AnchorCheck = 'agrees' | 'differs' | 'cut-off' | 'pruned' | 'bad-signature' | 'not-signed';

/** The newest seal as an anchor, signed when a key is given; undefined for an empty ledger. */
export function takeAnchor(db: Connection, keyFile?: string): Anchor | undefined {
  const seal = db.prepare<[], Seal>('SELECT * FROM seal ORDER BY first DESC LIMIT 1').get();
  if (seal === undefined) return undefined;
  const anchor: Anchor = {
    usherdAnchor: 1,
    lastId: seal.last,
    hash: seal.hash.toString('hex'),
    sealedAtMs: seal.at_ms,
  };
  return keyFile === undefined ? anchor : { ...anchor, ...signText(signedText(anchor), keyFile) };
}

/** Whether the ledger still has the seal an anchor names, and whether the anchor is signed with the given public key. */
export function checkAnchor(db: Connection, anchor: Anchor, publicKeyFile?: string): AnchorCheck {
  if (publicKeyFile !== undefined) {
    if (anchor.signature === undefined) return 'not-signed';
    if (!isSignedBy(signedText(anchor), anchor.signature, publicKeyFile)) return 'bad-signature';
  }
  const seal = db.prepare<[number], Seal>('SELECT * FROM seal WHERE last = ?').get(anchor.lastId);
  if (seal !== undefined)
    return seal.hash.toString('hex') === anchor.hash && seal.at_ms === anchor.sealedAtMs ? 'agrees' : 'differs';
  const ranges = prunedRanges(db).filter(({ lastHash }) => lastHash !== undefined);
  if (ranges.some(({ firstHash, lastHash }) => [firstHash, lastHash].includes(anchor.hash))) return 'agrees';
  const [oldest, newest] = db
    .prepare<[], [number | null, number | null]>('SELECT min(first), max(last) FROM seal')
    .raw()
    .get() ?? [null, null];
  if (newest === null || anchor.lastId > newest) return 'cut-off';
  return oldest !== null && anchor.lastId < oldest && ranges.length > 0 ? 'pruned' : 'differs';
}

/** An anchor's file → the anchor, or undefined when it is none. */
export function parseAnchor(text: string): Anchor | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { usherdAnchor, lastId, hash, sealedAtMs, signature } = value as Partial<Record<keyof Anchor, unknown>>;
  const isAnchor =
    usherdAnchor === 1 &&
    Number.isSafeInteger(lastId) &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    typeof sealedAtMs === 'number' &&
    (signature === undefined || typeof signature === 'string');
  return isAnchor ? (value as Anchor) : undefined;
}

/** What the signature is over. */
function signedText({ lastId, hash, sealedAtMs }: Anchor): string {
  return `usherd anchor 1\n${lastId}\n${hash}\n${sealedAtMs}\n`;
}
