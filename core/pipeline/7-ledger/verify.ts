import type { Connection } from './database.ts';
import { DIGEST_BYTES, digestOf } from './row-content.ts';
import { chainJumps, prunedRanges, signedFacts, type PrunedRange } from './pruned.ts';
import { RowReader, type StoredRow } from './row-reader.ts';
import { ROW_SHAPES } from './row-shapes.ts';
import { isSignedBy } from './signature.ts';
import { CHAIN_BEGIN, sealHash, type Seal } from './seals.ts';
import { TextReader } from './text-reader.ts';
import { findUnlisted } from './verify-answers.ts';

/** Problems told one by one; a text that many rows share would otherwise be told a million times. The rest is counted. */
export const TOLD_MAX_PROBLEMS = 100;

/** What does not agree with the seals. `table` is where the row stands now. */
export type ChainProblem =
  | { readonly kind: 'altered'; readonly id: number; readonly table: string }
  | { readonly kind: 'removed'; readonly id: number }
  /** The row's content was sealed as that of row `sealedAs`. */
  | { readonly kind: 'reordered'; readonly id: number; readonly table: string; readonly sealedAs: number }
  /** No seal covers it, or another row has its number too. */
  | { readonly kind: 'added'; readonly id: number; readonly table: string }
  /** The hash of the seal of these rows does not follow from the seal before it: a seal was altered, removed or put in. */
  | { readonly kind: 'broken-chain'; readonly first: number; readonly last: number }
  /** The row is as it was written, but answers that come from this table would leave it out. */
  | { readonly kind: 'unlisted'; readonly id: number; readonly table: string }
  /** The pruning of these rows is not signed with the key that was named. */
  | { readonly kind: 'pruned-unsigned'; readonly first: number; readonly last: number }
  /** More or fewer rows are missing than prunings say they took. */
  | { readonly kind: 'pruned-miscount'; readonly missing: number; readonly pruned: number };

export interface Verification {
  readonly seals: number;
  readonly rows: number;
  readonly prunedRows: number;
  /** The first TOLD_MAX_PROBLEMS. */
  readonly problems: readonly ChainProblem[];
  readonly problemCount: number;
  /** Newest seal's last row and hash: what an anchor names. */
  readonly head?: { readonly lastId: number; readonly hash: string };
}

/**
 * Reads every row and compares it with its seal, every seal with the one before, and what questions are answered from with the rows; with a key, also that prunings are signed. Rows cut off at the end together with their
 * seals leave no trace in the file: an anchor kept elsewhere shows that (anchor.ts).
 * @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE of the key
 */
export function verifyChain(db: Connection, publicKeyFile?: string): Verification {
  // One moment of a file that a daemon may be writing.
  return db.transaction(() => new Verifier(db).verify(publicKeyFile))();
}

class Verifier {
  readonly #db: Connection;
  readonly #reader: RowReader;
  readonly #pruned: readonly PrunedRange[];
  readonly #jumps: ReadonlyMap<string, string>;
  readonly #problems: ChainProblem[] = [];
  #problemCount = 0;
  #rows = 0;
  #missing = 0;

  constructor(db: Connection) {
    this.#db = db;
    this.#reader = new RowReader(db, new TextReader(db));
    this.#pruned = prunedRanges(db);
    this.#jumps = chainJumps(this.#pruned);
  }

  verify(publicKeyFile: string | undefined): Verification {
    const page = this.#db.prepare<[number], Seal>('SELECT * FROM seal WHERE first >= ? ORDER BY first LIMIT 64');
    let seals = 0;
    let next = 0;
    let head: Buffer = CHAIN_BEGIN;
    let lastId = 0;
    for (;;) {
      const found = page.all(next);
      if (found.length === 0) break;
      for (const seal of found) {
        head = this.#follow(head, seal);
        if (
          !sealHash(head, seal).equals(seal.hash) ||
          seal.last - seal.first + 1 !== seal.digests.length / DIGEST_BYTES
        )
          this.#tell({ kind: 'broken-chain', first: seal.first, last: seal.last });
        head = seal.hash;
        this.#unsealed(lastId + 1, seal.first - 1);
        this.#compare(seal);
        lastId = seal.last;
        seals += 1;
      }
      next = lastId + 1;
    }
    this.#unsealed(lastId + 1, Number.MAX_SAFE_INTEGER);
    if (publicKeyFile !== undefined) this.#checkSignatures(publicKeyFile);
    const prunedRows = this.#pruned.reduce((sum, { rows }) => sum + rows, 0);
    const missing = this.#missing + this.#pruned.flatMap(range => range.seals).reduce((sum, { rows }) => sum + rows, 0);
    if (missing !== prunedRows) this.#tell({ kind: 'pruned-miscount', missing, pruned: prunedRows });
    // Of rows that are not as they were written nobody can say what should be listed.
    if (this.#problemCount === 0)
      for (const { id, table } of findUnlisted(this.#db)) this.#tell({ kind: 'unlisted', id, table });
    return {
      seals,
      rows: this.#rows,
      prunedRows,
      problems: this.#problems,
      problemCount: this.#problemCount,
      ...(seals > 0 && { head: { lastId, hash: head.toString('hex') } }),
    };
  }

  /** Where seals were pruned, the chain goes on from the last of them. */
  #follow(head: Buffer, seal: Seal): Buffer {
    let from = head;
    for (let n = 0; n <= this.#jumps.size && !sealHash(from, seal).equals(seal.hash); n++) {
      const next = this.#jumps.get(from.toString('hex'));
      if (next === undefined) return head;
      from = Buffer.from(next, 'hex');
    }
    return from;
  }

  #checkSignatures(publicKeyFile: string): void {
    for (const range of this.#pruned) {
      const { signature, firstId: first, lastId: last } = range;
      if (signature === undefined || !isSignedBy(signedFacts(range), signature, publicKeyFile))
        this.#tell({ kind: 'pruned-unsigned', first, last });
    }
  }

  #compare({ first, last: saidLast, digests }: Seal): void {
    // A seal that says more rows than it has digests was altered, which was told already.
    const last = Math.min(saidLast, first + digests.length / DIGEST_BYTES - 1);
    const sealed = digests.toString('hex');
    const width = 2 * DIGEST_BYTES;
    const rows = this.#reader.between(first, last);
    this.#rows += rows.length;
    let at = 0;
    for (let id = first; id <= last; id++) {
      const wanted = sealed.slice((id - first) * width, (id - first + 1) * width);
      const row = rows[at];
      if (row?.id !== id) {
        this.#missed(id);
        continue;
      }
      at += 1;
      const digest = digestOf(row.content);
      if (digest !== wanted) this.#differs(row, digest, sealed, first);
      for (; rows[at]?.id === id; at++) this.#tell({ kind: 'added', id, table: rows[at]?.table ?? '' });
    }
  }

  #missed(id: number): void {
    if (this.#pruned.some(({ firstId, lastId }) => id >= firstId && id <= lastId)) this.#missing += 1;
    else this.#tell({ kind: 'removed', id });
  }

  #differs({ id, table }: StoredRow, digest: string, sealed: string, first: number): void {
    const place = sealed.indexOf(digest);
    const isOther = place >= 0 && place % (2 * DIGEST_BYTES) === 0;
    this.#tell(
      isOther
        ? { kind: 'reordered', id, table, sealedAs: first + place / (2 * DIGEST_BYTES) }
        : { kind: 'altered', id, table },
    );
  }

  #unsealed(first: number, last: number): void {
    if (first > last) return;
    for (const { table } of ROW_SHAPES) {
      const ids = this.#db
        .prepare<[number, number, number], number>(
          `SELECT id FROM ${table} WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?`,
        )
        .pluck()
        .all(first, last, TOLD_MAX_PROBLEMS);
      for (const id of ids) this.#tell({ kind: 'added', id, table });
    }
  }

  #tell(problem: ChainProblem): void {
    this.#problemCount += 1;
    if (this.#problems.length < TOLD_MAX_PROBLEMS) this.#problems.push(problem);
  }
}
