import { UsherdError } from '../../errors.ts';
import { globMatches } from '../lookup/glob.ts';
import {
  INDEX_HEADER_BYTES,
  NODE_CHILDREN,
  NODE_OFFSET_MASK,
  NODE_PREFIX,
  NODE_VALUES,
  readIndexHeader,
  type IndexEntry,
} from './index-format.ts';

/** Longest key followed; the longest real one (a DMI pattern) has some 200 characters. Bounds the depth of a damaged, looping file. */
export const INDEX_KEY_MAX_BYTES = 4096;

/** One node, taken apart. Offsets are from the beginning of the file. */
interface Node {
  readonly prefix: string;
  readonly first: number;
  readonly last: number;
  /** Offset of the word of child `first`; 0 when there are no children. */
  readonly children: number;
  readonly valueCount: number;
  readonly values: number;
}

/** Where an index is read from: a file in pieces (tree/file-in-pieces.ts), or bytes that are all there. */
export interface IndexBytes {
  readonly bytes: Buffer;
  /** Has the bytes [from, to) be there, as far as there are any → up to where there are bytes. */
  need(from: number, to: number): number;
}

const WILDCARDS = ['*', '?', '['] as const;

/**
 * A modules.*.bin file, read in place: nothing is unpacked, a look-up touches the nodes on its way.
 * Every method throws {UsherdError} INDEX_DAMAGED when the file points outside itself.
 */
export class IndexReader {
  readonly file: string;
  readonly #bytes: Buffer;
  readonly #source: IndexBytes;
  readonly #root: number;

  /** @throws {UsherdError} INDEX_TRUNCATED, INDEX_BAD_MAGIC, INDEX_BAD_VERSION */
  constructor(source: Buffer | IndexBytes, file: string) {
    this.file = file;
    this.#source = Buffer.isBuffer(source) ? { bytes: source, need: () => source.length } : source;
    this.#bytes = this.#source.bytes;
    this.#source.need(0, INDEX_HEADER_BYTES);
    this.#root = readIndexHeader(this.#bytes, file);
  }

  /** The first value of exactly this key; no character of it is a wildcard. */
  search(key: string): string | undefined {
    let word = this.#root;
    let at = 0;
    while (word !== 0 && (word & NODE_OFFSET_MASK) !== 0) {
      const node = this.#node(word);
      if (!key.startsWith(node.prefix, at)) return undefined;
      at += node.prefix.length;
      if (at === key.length) return this.#values(node, key)[0]?.value;
      word = this.#child(node, key.charCodeAt(at++));
    }
    return undefined;
  }

  /**
   * Every value whose key, taken as a pattern, matches `query`, by ascending priority; of equal priority the one found later
   * comes first. A backslash before the first wildcard of a key is an ordinary character, as the trie is walked by bytes there.
   * Source: kmod libkmod-index.c, index_mm_searchwild.
   */
  searchWild(query: string): IndexEntry[] {
    const found: IndexEntry[] = [];
    let word = this.#root;
    let at = 0;
    let walked = '';
    walk: while (word !== 0 && (word & NODE_OFFSET_MASK) !== 0) {
      const node = this.#node(word);
      for (let i = 0; i < node.prefix.length; i++) {
        const char = node.prefix.charAt(i);
        if (char === '*' || char === '?' || char === '[') {
          this.#below(node, walked + node.prefix, walked.length + i, query, at, found);
          break walk;
        }
        if (char !== query.charAt(at)) break walk;
        at++;
      }
      walked += node.prefix;
      for (const wildcard of WILDCARDS) {
        const child = this.#child(node, wildcard.charCodeAt(0));
        if (child === 0) continue;
        const below = this.#node(child);
        this.#below(below, walked + wildcard + below.prefix, walked.length, query, at, found);
      }
      if (at === query.length) {
        found.push(...this.#values(node, walked));
        break;
      }
      const code = query.charCodeAt(at);
      word = this.#child(node, code);
      walked += query.charAt(at++);
    }
    return found.length > 1 ? orderAsFound(found) : found;
  }

  /** Has all of it there, for who will ask often. */
  readAll(): void {
    this.#source.need(0, this.#bytes.length);
  }

  /** Every pair, keys in byte order, the values of one key in the order they are stored. */
  entries(): IndexEntry[] {
    const found: IndexEntry[] = [];
    this.readAll();
    if ((this.#root & NODE_OFFSET_MASK) !== 0 && this.#bytes.length > (this.#root & NODE_OFFSET_MASK)) {
      const budget = { nodes: this.#bytes.length };
      this.#collect(this.#root, '', found, budget);
    }
    return found;
  }

  #collect(word: number, before: string, found: IndexEntry[], budget: { nodes: number }): void {
    // Each node has bytes of its own, so more visits than bytes means that the file points at its nodes more than once.
    if (budget.nodes-- === 0) this.#damaged(word & NODE_OFFSET_MASK, 'its nodes are pointed at over and over');
    const node = this.#node(word);
    const key = before + node.prefix;
    if (key.length > INDEX_KEY_MAX_BYTES) this.#damaged(word & NODE_OFFSET_MASK, 'a key never ends');
    if (node.valueCount > 0) found.push(...this.#values(node, key));
    if (node.children === 0) return;
    for (let code = node.first; code <= node.last; code++) {
      const child = this.#child(node, code);
      if (child !== 0) this.#collect(child, key + String.fromCharCode(code), found, budget);
    }
  }

  /** Every key of this node's sub-tree, matched from its first wildcard on. */
  #below(
    node: Node,
    key: string,
    patternStart: number,
    query: string,
    queryStart: number,
    found: IndexEntry[],
    budget = { nodes: this.#bytes.length },
  ): void {
    if (budget.nodes-- === 0 || key.length > INDEX_KEY_MAX_BYTES) this.#damaged(node.values, 'a key never ends');
    if (node.children !== 0) {
      for (let code = node.first; code <= node.last; code++) {
        const word = this.#child(node, code);
        if (word === 0) continue;
        const child = this.#node(word);
        const childKey = key + String.fromCharCode(code) + child.prefix;
        this.#below(child, childKey, patternStart, query, queryStart, found, budget);
      }
    }
    if (node.valueCount > 0 && globMatches(key, query, patternStart, queryStart))
      found.push(...this.#values(node, key));
  }

  #node(word: number): Node {
    const bytes = this.#bytes;
    let at = word & NODE_OFFSET_MASK;
    let prefix = '';
    if ((word & NODE_PREFIX) !== 0) {
      const end = this.#nul(at);
      prefix = bytes.toString('latin1', at, end);
      at = end + 1;
    }
    let first = 1;
    let last = 0;
    let children = 0;
    if ((word & NODE_CHILDREN) !== 0) {
      if (at + 2 > bytes.length) this.#damaged(at, 'a table of children begins past the end');
      this.#source.need(at, at + 2);
      first = bytes.readUInt8(at);
      last = bytes.readUInt8(at + 1);
      children = at + 2;
      at = children + 4 * Math.max(0, last - first + 1);
      if (at > bytes.length) this.#damaged(children, 'a table of children reaches past the end');
    }
    let valueCount = 0;
    if ((word & NODE_VALUES) !== 0) {
      if (at + 4 > bytes.length) this.#damaged(at, 'a list of values begins past the end');
      this.#source.need(at, at + 4);
      valueCount = bytes.readUInt32BE(at);
      at += 4;
    }
    return { prefix, first, last, children, valueCount, values: at };
  }

  #child(node: Node, code: number): number {
    if (node.children === 0 || code < node.first || code > node.last) return 0;
    const at = node.children + 4 * (code - node.first);
    this.#source.need(at, at + 4);
    return this.#bytes.readUInt32BE(at);
  }

  #values(node: Node, key: string): IndexEntry[] {
    const values: IndexEntry[] = [];
    let at = node.values;
    for (let i = 0; i < node.valueCount; i++) {
      if (at + 4 > this.#bytes.length) this.#damaged(at, 'a list of values reaches past the end');
      this.#source.need(at, at + 4);
      const end = this.#nul(at + 4);
      values.push({ key, value: this.#bytes.toString('latin1', at + 4, end), priority: this.#bytes.readUInt32BE(at) });
      at = end + 1;
    }
    return values;
  }

  #nul(from: number): number {
    for (let at = from; at < this.#bytes.length;) {
      const there = this.#source.need(at, at + 1);
      const end = this.#bytes.indexOf(0, at);
      if (end >= 0 && end < there) return end;
      at = there;
    }
    return this.#damaged(from, 'a text has no end');
  }

  #damaged(offsetBytes: number, what: string): never {
    throw new UsherdError(
      'INDEX_DAMAGED',
      `${this.file}+0x${offsetBytes.toString(16)}: ${what}, in a file of ${this.#bytes.length} bytes`,
      { file: this.file, offsetBytes },
    );
  }
}

/** What was found, by ascending priority, the later found of equals first: libkmod puts each value before its equals. */
function orderAsFound(found: readonly IndexEntry[]): IndexEntry[] {
  return found.toReversed().toSorted((a, b) => a.priority - b.priority);
}
