/** Collects bytes into lines, and holds no more than one line of `maxBytes`. */
export class LineReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held of a line that has not ended. */
  get heldBytes(): number {
    return this.#sizeBytes;
  }

  /** Adds bytes → the lines they end, without their line feed; `too-long` when one is over the bound, and then this reader is done. */
  push(bytes: Buffer): string[] | 'too-long' {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      if (!this.#hold(bytes.subarray(start, end))) return 'too-long';
      lines.push(Buffer.concat(this.#parts).toString('utf8'));
      this.#parts = [];
      this.#sizeBytes = 0;
      start = end + 1;
    }
    return this.#hold(bytes.subarray(start)) ? lines : 'too-long';
  }

  #hold(part: Buffer): boolean {
    this.#sizeBytes += part.length;
    if (this.#sizeBytes > this.#maxBytes) return false;
    if (part.length > 0) this.#parts.push(part);
    return true;
  }
}
