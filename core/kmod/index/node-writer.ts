import {
  INDEX_HEADER_BYTES,
  INDEX_MAGIC,
  INDEX_VERSION_MAJOR,
  INDEX_VERSION_MINOR,
  NODE_CHILDREN,
  NODE_OFFSET_MASK,
  NODE_PREFIX,
  NODE_VALUES,
  type IndexEntry,
} from './index-format.ts';

/** One node, but for what is below it. */
export interface NodeParts {
  readonly prefix: string;
  /** Characters of the arcs to its children, ascending, and beside each the word of the child. */
  readonly childCodes: readonly number[];
  readonly childWords: readonly number[];
  readonly values: readonly Pick<IndexEntry, 'priority' | 'value'>[];
}

/** Lays down the nodes of an index one after another, below before above, so that all of a subtree's bytes lie together. */
export class NodeWriter {
  #bytes: Buffer;
  #view: DataView;
  #at = INDEX_HEADER_BYTES;

  /** @param sizeBytes how large the file may become; it grows when that guess is short */
  constructor(sizeBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(INDEX_HEADER_BYTES + sizeBytes);
    this.#view = viewOf(this.#bytes);
  }

  /** Where the next node begins. */
  get at(): number {
    return this.#at;
  }

  /** Forgets all nodes from there on. */
  takeBack(at: number): void {
    this.#at = at;
  }

  /**
   * The nodes of entries [from, to), in the order of their keys and values, which are equal in their first `depth` characters → the
   * word of the one above all.
   */
  entries(entries: readonly IndexEntry[], from: number, to: number, depth: number): number {
    const first = entries[from]?.key ?? '';
    // The root never has a prefix: depmod begins with an empty node and only ever splits the ones below it.
    const end = depth === 0 ? 0 : sharedLength(first, entries[to - 1]?.key ?? '', depth);
    let ownEnd = from;
    while (ownEnd < to && entries[ownEnd]?.key.length === end) ownEnd++;
    const childCodes: number[] = [];
    const childWords: number[] = [];
    for (let at = ownEnd; at < to;) {
      const code = entries[at]?.key.charCodeAt(end) ?? 0;
      let next = at + 1;
      while (next < to && entries[next]?.key.charCodeAt(end) === code) next++;
      childCodes.push(code);
      childWords.push(this.entries(entries, at, next, end + 1));
      at = next;
    }
    return this.#node(first, depth, end, childCodes, childWords, entries, from, ownEnd);
  }

  /** A node whose children are written → its word. */
  node({ prefix, childCodes, childWords, values }: NodeParts): number {
    return this.#node(prefix, 0, prefix.length, childCodes, childWords, values, 0, values.length);
  }

  /**
   * Copies all nodes below `word`, and its own, out of an index that was laid down in the same way → its word here; undefined where they
   * lie outside of that.
   */
  subtree(old: Buffer, word: number): number | undefined {
    const from = subtreeStart(old, word);
    const to = nodeEnd(old, word);
    if (from < INDEX_HEADER_BYTES || from > to || to > old.length) return undefined;
    const shift = this.#at - from;
    this.#reserve(to - from);
    old.copy(this.#bytes, this.#at, from, to);
    this.#at += to - from;
    if (shift !== 0) this.#relocate(word, shift);
    return word + shift;
  }

  /** @returns the whole file */
  finish(root: number): Buffer {
    this.#bytes.writeUInt32BE(INDEX_MAGIC, 0);
    this.#bytes.writeUInt32BE(INDEX_VERSION_MAJOR * 0x10000 + INDEX_VERSION_MINOR, 4);
    this.#bytes.writeUInt32BE(root, 8);
    return this.#bytes.subarray(0, this.#at);
  }

  /** Adds `shift` to the words in the nodes below `word`, which have been copied. */
  #relocate(word: number, shift: number): void {
    if ((word & NODE_CHILDREN) === 0) return;
    const bytes = this.#bytes;
    const view = this.#view;
    let at = tableOf(bytes, (word & NODE_OFFSET_MASK) + shift, word);
    const end = Math.min(this.#at, at + 2 + 4 * ((bytes[at + 1] ?? 0) - (bytes[at] ?? 0) + 1));
    for (at += 2; at + 4 <= end; at += 4) {
      const child = view.getUint32(at);
      // One that does not lie before the node above it would lead in a circle.
      if (child === 0 || (child & NODE_OFFSET_MASK) >= (word & NODE_OFFSET_MASK)) continue;
      view.setUint32(at, child + shift);
      if ((child & NODE_CHILDREN) !== 0) this.#relocate(child, shift);
    }
  }

  #node(
    key: string,
    depth: number,
    end: number,
    childCodes: readonly number[],
    childWords: readonly number[],
    values: NodeParts['values'],
    valuesFrom: number,
    valuesTo: number,
  ): number {
    const firstCode = childCodes[0];
    const lastCode = childCodes.at(-1);
    let word = this.#at;
    if (end > depth) {
      word += NODE_PREFIX;
      this.#text(key, depth, end);
    }
    if (firstCode !== undefined && lastCode !== undefined) {
      word += NODE_CHILDREN;
      const span = lastCode - firstCode + 1;
      this.#reserve(2 + 4 * span);
      const bytes = this.#bytes;
      bytes[this.#at] = firstCode;
      bytes[this.#at + 1] = lastCode;
      const table = this.#at + 2;
      bytes.fill(0, table, table + 4 * span);
      for (let i = 0; i < childCodes.length; i++)
        this.#view.setUint32(table + 4 * ((childCodes[i] ?? 0) - firstCode), childWords[i] ?? 0);
      this.#at = table + 4 * span;
    }
    if (valuesTo > valuesFrom) {
      word += NODE_VALUES;
      this.#word(valuesTo - valuesFrom);
      for (let i = valuesFrom; i < valuesTo; i++) {
        const { priority = 0, value = '' } = values[i] ?? {};
        this.#word(priority);
        this.#text(value, 0, value.length);
      }
    }
    return word;
  }

  #word(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  /** Characters [from, to) of a text and a NUL. Texts are short, so a loop is faster than a call into Buffer for each. */
  #text(text: string, from: number, to: number): void {
    this.#reserve(to - from + 1);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = from; i < to; i++) bytes[at++] = text.charCodeAt(i);
    bytes[at++] = 0;
    this.#at = at;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

/** A word of an index → an unsigned number. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}

/** Where the first and the last character of a node's children stand: behind its prefix. */
export function tableOf(bytes: Uint8Array, offset: number, word: number): number {
  if ((word & NODE_PREFIX) === 0) return offset;
  let at = offset;
  while (at < bytes.length && bytes[at] !== 0) at++;
  return at + 1;
}

/** Where a node's values stand: behind its children. */
export function valuesOf(bytes: Uint8Array, word: number): number {
  const table = tableOf(bytes, word & NODE_OFFSET_MASK, word);
  if ((word & NODE_CHILDREN) === 0) return table;
  return table + 2 + 4 * ((bytes[table + 1] ?? 0) - (bytes[table] ?? 0) + 1);
}

function nodeEnd(bytes: Buffer, word: number): number {
  let at = valuesOf(bytes, word);
  if ((word & NODE_VALUES) === 0) return at;
  const count = wordAt(bytes, at);
  at += 4;
  for (let i = 0; i < count && at < bytes.length; i++) at = tableOf(bytes, at + 4, NODE_PREFIX);
  return at;
}

/** Where the first of a node's first child's first child… begins. Each lies before the one above it, so this comes to an end. */
function subtreeStart(bytes: Buffer, top: number): number {
  let word = top;
  while ((word & NODE_CHILDREN) !== 0) {
    const child = wordAt(bytes, tableOf(bytes, word & NODE_OFFSET_MASK, word) + 2);
    if ((child & NODE_OFFSET_MASK) >= (word & NODE_OFFSET_MASK)) break;
    word = child;
  }
  return word & NODE_OFFSET_MASK;
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** How many characters two texts have in common, of which the first `known` are known to be. */
function sharedLength(a: string, b: string, known: number): number {
  const limit = Math.min(a.length, b.length);
  let length = known;
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}
