import { bytesOf, wordsOf } from '../cache-file.ts';

/**
 * Numbers for symbol names, given as bytes up to a NUL, so that hundreds of thousands of names need no string each. A name has the
 * same number wherever it is read. Open addressing over one block of bytes.
 */
export class SymbolNames {
  #bytes = new Uint8Array(1 << 20);
  #used = 0;
  /** Where each name begins; one more than there are names. */
  #starts = new Int32Array(1 << 15);
  #count = 0;
  /** Number + 1 of a name, 0 where a slot is free; and the hash that put it there. */
  #slots = new Int32Array(1 << 16);
  #hashes = new Int32Array(1 << 16);

  get count(): number {
    return this.#count;
  }

  /** The name that stands in `block` from `start` to the NUL, or to `limit` → its number. */
  number(block: Uint8Array, start: number, limit: number): number {
    let hash = 0x811c9dc5 | 0;
    let end = start;
    for (; end < limit; end++) {
      const byte = block[end] ?? 0;
      if (byte === 0) break;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    const length = end - start;
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const held = this.#slots[slot] ?? 0;
      if (held === 0) break;
      if (this.#hashes[slot] === hash && this.#isName(held - 1, block, start, length)) return held - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(slot, hash, block, start, length);
  }

  /** A name given as a text. */
  numberOf(name: string): number {
    return this.number(Buffer.from(name, 'latin1'), 0, name.length);
  }

  /** All there is of the table, as bytes that `of` makes it again from. */
  get parts(): readonly [texts: Buffer, starts: Buffer, slots: Buffer, hashes: Buffer] {
    const starts = this.#starts.subarray(0, this.#count + 1);
    return [bytesOf(this.#bytes.subarray(0, this.#used)), bytesOf(starts), bytesOf(this.#slots), bytesOf(this.#hashes)];
  }

  /** A table from its parts, copied: it will grow. Undefined when they do not fit together. */
  static of([texts, starts, slots, hashes]: SymbolNames['parts']): SymbolNames | undefined {
    const names = new SymbolNames();
    const count = starts.length / 4 - 1;
    const size = slots.length / 4;
    // A search ends at a free slot, and knows their number to be a power of two.
    if (count < 0 || count * 2 > size || (size & (size - 1)) !== 0 || hashes.length !== slots.length) return undefined;
    names.#bytes = new Uint8Array(Math.max(texts.length, names.#bytes.length));
    names.#bytes.set(texts);
    names.#used = texts.length;
    names.#starts = new Int32Array(Math.max(count + 2, names.#starts.length));
    names.#starts.set(wordsOf(starts));
    names.#count = count;
    names.#slots = wordsOf(slots).slice();
    names.#hashes = wordsOf(hashes).slice();
    return names;
  }

  /** The text of a number, one character a byte. */
  text(number: number): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset, this.#used).toString(
      'latin1',
      this.#starts[number],
      this.#starts[number + 1],
    );
  }

  #isName(number: number, block: Uint8Array, start: number, length: number): boolean {
    const bytes = this.#bytes;
    const own = this.#starts[number] ?? 0;
    if ((this.#starts[number + 1] ?? 0) - own !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[own + i] !== block[start + i]) return false;
    return true;
  }

  #add(slot: number, hash: number, block: Uint8Array, start: number, length: number): number {
    while (this.#used + length > this.#bytes.length) this.#bytes = doubled(this.#bytes);
    if (this.#count + 2 > this.#starts.length) this.#starts = doubled(this.#starts);
    for (let i = 0; i < length; i++) this.#bytes[this.#used + i] = block[start + i] ?? 0;
    this.#used += length;
    const number = this.#count++;
    this.#starts[number + 1] = this.#used;
    this.#slots[slot] = number + 1;
    this.#hashes[slot] = hash;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return number;
  }

  #rehash(): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    this.#slots = new Int32Array(slots.length * 2);
    this.#hashes = new Int32Array(slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let i = 0; i < slots.length; i++) {
      const held = slots[i] ?? 0;
      if (held === 0) continue;
      const hash = hashes[i] ?? 0;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = held;
      this.#hashes[slot] = hash;
    }
  }
}

function doubled<List extends Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(list: List): List {
  const larger = list instanceof Uint8Array ? new Uint8Array(list.length * 2) : new Int32Array(list.length * 2);
  larger.set(list);
  return larger as List;
}
