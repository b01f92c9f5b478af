import { createHash } from 'node:crypto';
import type { Connection } from './database.ts';
import { DIGEST_BYTES, digestOf } from './row-content.ts';

/** The hash the first seal of a ledger follows. */
export const CHAIN_BEGIN = Buffer.alloc(32);

/** A seal as the file has it: rows `first` to `last`, a digest for each in the order of their ids, and the hash that chains it. */
export interface Seal {
  readonly first: number;
  readonly last: number;
  readonly at_ms: number;
  readonly digests: Buffer;
  readonly hash: Buffer;
}

/**
 * Hash of a seal: SHA-256 over the hash before, `FIRST,LAST,AT_MS;` and the SHA-256 of the digests.
 */
export function sealHash(before: Buffer, { first, last, at_ms: atMs, digests }: Omit<Seal, 'hash'>): Buffer {
  const digestsHash = createHash('sha256').update(digests).digest();
  return createHash('sha256').update(before).update(`${first},${last},${atMs};`).update(digestsHash).digest();
}

/**
 * The hash chain over all rows: each transaction ends with a seal of the rows it added. A seal covers ids without a gap, so that the
 * place of a digest says which row it is of; where rows were lost, a new seal begins. Use only inside a transaction, and call
 * `forget` when that was rolled back.
 */
export class SealWriter {
  readonly #insert;
  readonly #newest;
  readonly #now: () => number;
  #head: Buffer | undefined;
  #first = 0;
  #next = 0;
  #digests = '';

  constructor(db: Connection, now: () => number) {
    this.#now = now;
    this.#insert = db.prepare('INSERT INTO seal VALUES (?, ?, ?, ?, ?)');
    this.#newest = db.prepare<[], Buffer>('SELECT hash FROM seal ORDER BY first DESC LIMIT 1').pluck();
  }

  /** Takes a row in, in the order of ids. */
  add(id: number, content: string): void {
    if (this.#digests !== '' && id !== this.#next) this.#write();
    if (this.#digests === '') this.#first = id;
    this.#digests += digestOf(content);
    this.#next = id + 1;
  }

  /** Seals what was added since the last call. */
  seal(): void {
    if (this.#digests !== '') this.#write();
  }

  forget(): void {
    this.#head = undefined;
    this.#digests = '';
  }

  #write(): void {
    const digests = Buffer.from(this.#digests, 'hex');
    const sealed = { first: this.#first, last: this.#next - 1, at_ms: this.#now(), digests };
    this.#head = sealHash(this.#head ?? this.#newest.get() ?? CHAIN_BEGIN, sealed);
    this.#insert.run(sealed.first, sealed.last, sealed.at_ms, digests, this.#head);
    this.#digests = '';
  }
}

/** How many rows a seal covers by its digests. */
export function sealedRows({ digests }: Pick<Seal, 'digests'>): number {
  return digests.length / DIGEST_BYTES;
}
