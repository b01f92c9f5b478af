import {
  INDEX_HEADER_BYTES,
  INDEX_KEY_BYTE_LIMIT,
  INDEX_MAGIC,
  INDEX_VERSION_MAJOR,
  INDEX_VERSION_MINOR,
  NODE_CHILDREN,
  NODE_PREFIX,
  NODE_VALUES,
  type IndexEntry,
} from './index-format.ts';

/** Whether a text can be a key of an index: 7-bit characters only, none of them NUL. */
export function isIndexKey(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code >= INDEX_KEY_BYTE_LIMIT) return false;
  }
  return true;
}

/**
 * Pairs, in the order depmod meets them → the bytes of a modules.*.bin file, children before their parents, as Debian's depmod 30
 * writes them. Values of one key are stored by ascending priority, a later one before its equals. Keys must pass `isIndexKey`.
 */
export function writeIndex(entries: readonly IndexEntry[]): Buffer {
  // The sort keeps the order of equals, so turned round before it the later of them comes first.
  const sorted = entries.toReversed().toSorted((a, b) => compareKeys(a.key, b.key) || a.priority - b.priority);
  const writer = new NodeWriter(sorted);
  // An index without a single pair is its header; the root word then points at its end.
  const root = sorted.length === 0 ? INDEX_HEADER_BYTES : writer.write(0, sorted.length, 0);
  return writer.finish(root);
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many characters two texts have in common, of which the first `known` are known to be. */
function sharedLength(a: string, b: string, known: number): number {
  const limit = Math.min(a.length, b.length);
  let length = known;
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/** Lays down the nodes of a sorted list of entries, one call for each node, below before above. */
class NodeWriter {
  readonly #entries: readonly IndexEntry[];
  #bytes: Buffer;
  #at = INDEX_HEADER_BYTES;

  constructor(entries: readonly IndexEntry[]) {
    this.#entries = entries;
    // A node needs at most its share of the key, a child table and its values; the buffer grows when that guess is short.
    this.#bytes = Buffer.alloc(INDEX_HEADER_BYTES + entries.reduce((sum, { value }) => sum + value.length + 40, 0));
  }

  /** The node of entries [from, to), which are equal in their first `depth` characters → its word. */
  write(from: number, to: number, depth: number): number {
    const first = this.#key(from);
    const last = this.#key(to - 1);
    // The root never has a prefix: depmod begins with an empty node and only ever splits the ones below it.
    const end = depth === 0 ? 0 : sharedLength(first, last, depth);

    let ownEnd = from;
    while (ownEnd < to && this.#key(ownEnd).length === end) ownEnd++;
    const childCodes: number[] = [];
    const childWords: number[] = [];
    for (let at = ownEnd; at < to;) {
      const code = this.#key(at).charCodeAt(end);
      let next = at + 1;
      while (next < to && this.#key(next).charCodeAt(end) === code) next++;
      childCodes.push(code);
      childWords.push(this.write(at, next, end + 1));
      at = next;
    }
    return this.#node({ key: first, depth, end }, childCodes, childWords, from, ownEnd);
  }

  finish(root: number): Buffer {
    this.#bytes.writeUInt32BE(INDEX_MAGIC, 0);
    this.#bytes.writeUInt32BE(INDEX_VERSION_MAJOR * 0x10000 + INDEX_VERSION_MINOR, 4);
    this.#bytes.writeUInt32BE(root, 8);
    return this.#bytes.subarray(0, this.#at);
  }

  #node(
    label: { readonly key: string; readonly depth: number; readonly end: number },
    childCodes: readonly number[],
    childWords: readonly number[],
    valuesFrom: number,
    valuesTo: number,
  ): number {
    const firstCode = childCodes[0];
    const lastCode = childCodes.at(-1);
    let word = this.#at;
    if (label.end > label.depth) {
      word += NODE_PREFIX;
      this.#text(label.key, label.depth, label.end);
    }
    if (firstCode !== undefined && lastCode !== undefined) {
      word += NODE_CHILDREN;
      const span = lastCode - firstCode + 1;
      this.#reserve(2 + 4 * span);
      this.#bytes[this.#at] = firstCode;
      this.#bytes[this.#at + 1] = lastCode;
      const table = this.#at + 2;
      this.#bytes.fill(0, table, table + 4 * span);
      for (const [i, code] of childCodes.entries()) {
        this.#bytes.writeUInt32BE(childWords[i] ?? 0, table + 4 * (code - firstCode));
      }
      this.#at = table + 4 * span;
    }
    if (valuesTo > valuesFrom) {
      word += NODE_VALUES;
      this.#word(valuesTo - valuesFrom);
      for (let i = valuesFrom; i < valuesTo; i++) {
        const { priority = 0, value = '' } = this.#entries[i] ?? {};
        this.#word(priority);
        this.#text(value, 0, value.length);
      }
    }
    return word;
  }

  #key(i: number): string {
    return this.#entries[i]?.key ?? '';
  }

  #word(value: number): void {
    this.#reserve(4);
    const bytes = this.#bytes;
    bytes[this.#at++] = value >>> 24;
    bytes[this.#at++] = value >>> 16;
    bytes[this.#at++] = value >>> 8;
    bytes[this.#at++] = value;
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
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
