import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';

/** Read in one go. A look-up in an index of 1.3 MB touches some ten places in it. */
export const PIECE_BYTES = 16 * 1024;

/**
 * A file of which only those pieces are read that are asked for. It is open from the first piece that is missing until `close`, and may be
 * asked again after that.
 */
export class FileInPieces {
  /** As many as the file has; zeroes where nothing was read yet. */
  readonly bytes: Buffer;
  readonly #file: string;
  readonly #stamp: string;
  readonly #isRead: Uint8Array;
  #fd: number | undefined;

  /** @throws what Node throws when the file cannot be opened */
  constructor(file: string) {
    this.#file = file;
    this.#fd = openSync(file, 'r');
    const { size, stamp } = describe(this.#fd);
    this.bytes = Buffer.alloc(size);
    this.#stamp = stamp;
    this.#isRead = new Uint8Array(Math.ceil(size / PIECE_BYTES));
  }

  /**
   * Has the bytes [from, to) read, as far as the file has them → up to where there are bytes now.
   * @throws {UsherdError} INDEX_DAMAGED when it cannot be read, or is not the file it was
   */
  need(from: number, to: number): number {
    let at = from - (from % PIECE_BYTES);
    for (; at < to; at += PIECE_BYTES) if (this.#isRead[at / PIECE_BYTES] === 0) this.#read(at);
    return at;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #read(from: number): void {
    const end = Math.min(from + PIECE_BYTES, this.bytes.length);
    try {
      this.#fd ??= this.#openAgain();
      for (let at = from, count = 0; at < end; at += count) {
        count = readSync(this.#fd, this.bytes, at, end - at, at);
        if (count === 0) throw new Error(`it ends at byte ${at} now`);
      }
    } catch (error) {
      const { message } = error as Error;
      const what = `cannot be read at byte ${from} of ${this.bytes.length}: ${message}`;
      throw new UsherdError('INDEX_DAMAGED', `${this.#file}: ${what}`, { file: this.#file, offsetBytes: from }, error);
    }
    this.#isRead[from / PIECE_BYTES] = 1;
  }

  #openAgain(): number {
    const fd = openSync(this.#file, 'r');
    if (describe(fd).stamp === this.#stamp) return fd;
    closeSync(fd);
    throw new Error('another file has taken its place');
  }
}

/** What tells a file from one that has taken its place or was written anew. */
function describe(fd: number): { readonly size: number; readonly stamp: string } {
  const { dev, ino, size, mtimeMs, ctimeMs } = fstatSync(fd);
  return { size, stamp: `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}` };
}
