import type { IndexEntry } from '../index/index-format.ts';
import { setEnd, setHas } from './glob.ts';

/**
 * Patterns taken apart into a trie, all in flat arrays, so that a file can hold them as they are.
 *
 * A node stands for the patterns that are equal so far. Where only one pattern text is left, the rest of it (its tail) is kept as
 * text and shared: `sv*sd*bc*sc*i*` ends some nine thousand PCI patterns and is stored once.
 *
 * ```
 * node   8 words: label offset | label length | kids base | first | span | star child | any child | lists
 *        lists = index into `lists` of: count of values, ranks…, count of sets, (set number, child)…   0 = neither
 * child  0 none | > 0 a node | < 0 the leaf ~child
 * leaf   3 words: tail offset | tail length (bit 30: has a set or a backslash) | index into `lists` of its values
 * rank   position of a pattern in the order of answers (compareAliases)
 * ```
 */
export interface CompiledAliases {
  readonly nodes: Int32Array;
  readonly kids: Int32Array;
  readonly leaves: Int32Array;
  readonly lists: Int32Array;
  /** 256 bytes a set: 1 where the set takes that character. */
  readonly sets: Uint8Array;
  readonly text: Uint8Array;
  /** For each rank: number of its module, and where its pattern ends in `patterns`. */
  readonly moduleOf: Int32Array;
  readonly patternEnd: Int32Array;
  readonly patterns: Uint8Array;
  /** Ranks of patterns the trie does not take, tried one by one: with a backslash and a wildcard, or a set that never closes. */
  readonly odd: Int32Array;
  readonly modules: readonly string[];
}

export const NODE_WORDS = 8;
export const LEAF_WORDS = 3;
export const LEAF_IS_INTRICATE = 0x40000000;

const STAR = 0x2a;
const ANY = 0x3f;
const OPEN = 0x5b;

/**
 * Order of answers: by priority; of equals the one libkmod's walk of its trie comes to later. That walk takes the branches `*`, `?`
 * and `[` before the end of a pattern and before an ordinary character; once behind a wildcard it takes them in byte order, and
 * the end of a pattern last. Source: kmod libkmod-index.c, index_mm_searchwild_node.
 */
export function compareAliases(a: IndexEntry, b: IndexEntry): number {
  return a.priority - b.priority || -compareAsWalked(a.key, b.key);
}

function compareAsWalked(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let at = 0;
  let isBehindWildcard = false;
  for (; at < limit; at++) {
    const code = a.charCodeAt(at);
    if (code !== b.charCodeAt(at)) break;
    if (isWild(code)) isBehindWildcard = true;
  }
  return walkRank(a, at, isBehindWildcard) - walkRank(b, at, isBehindWildcard);
}

/** When a walk takes the branch of this character: smaller is earlier. Characters have 8 bits. */
function walkRank(text: string, at: number, isBehindWildcard: boolean): number {
  const isEnd = at === text.length;
  const code = isEnd ? 0 : text.charCodeAt(at);
  if (isBehindWildcard) return isEnd ? 256 : code;
  if (isEnd) return 3;
  return code === STAR ? 0 : code === ANY ? 1 : code === OPEN ? 2 : 4 + code;
}

/** Normalised patterns with their modules and priorities → the trie of them. Keys are one character a byte. */
export function compileAliases(entries: readonly IndexEntry[]): CompiledAliases {
  return new Compiler(entries.toReversed().toSorted(compareAliases)).compile();
}

/** Numbers that are appended to, then cut to an Int32Array. */
class WordList {
  words = new Int32Array(1 << 12);
  length = 0;

  push(word: number): void {
    this.reserve(1);
    this.words[this.length++] = word;
  }

  /** Appends `count` zeroes → the position of the first. */
  reserve(count: number): number {
    if (this.length + count > this.words.length) {
      const larger = new Int32Array(Math.max(this.words.length * 2, this.length + count));
      larger.set(this.words.subarray(0, this.length));
      this.words = larger;
    }
    return this.length;
  }

  extend(count: number): number {
    const at = this.reserve(count);
    this.length += count;
    return at;
  }

  done(): Int32Array {
    return this.words.slice(0, this.length);
  }
}

class Compiler {
  readonly #ranked: readonly IndexEntry[];
  readonly #nodes = new WordList();
  readonly #kids = new WordList();
  readonly #leaves = new WordList();
  readonly #lists = new WordList();
  readonly #texts = new Map<string, number>();
  #textParts: string[] = [];
  #textLength = 0;
  readonly #setNumbers = new Map<string, number>();
  readonly #sets: Uint8Array[] = [];
  /** Pattern texts in byte order, each with the ranks it stands for. */
  readonly #patterns: { readonly text: string; readonly ranks: number[] }[] = [];
  readonly #odd: number[] = [];

  constructor(ranked: readonly IndexEntry[]) {
    this.#ranked = ranked;
    // Position 0 of the lists says "none".
    this.#lists.push(0);
    const byText = new Map<string, number[]>();
    for (const [rank, { key }] of ranked.entries()) {
      if (isOdd(key)) {
        this.#odd.push(rank);
        continue;
      }
      const ranks = byText.get(key);
      if (ranks) ranks.push(rank);
      else byText.set(key, [rank]);
    }
    this.#patterns = Array.from(byText, ([text, ranks]) => ({ text, ranks })).toSorted((a, b) =>
      a.text < b.text ? -1 : 1,
    );
  }

  compile(): CompiledAliases {
    if (this.#patterns.length === 0) this.#nodes.extend(NODE_WORDS);
    else this.#node(0, this.#patterns.length, 0);
    const modules = new Map<string, number>();
    const moduleOf = new Int32Array(this.#ranked.length);
    const patternEnd = new Int32Array(this.#ranked.length);
    let end = 0;
    for (const [rank, { key, value }] of this.#ranked.entries()) {
      let number = modules.get(value);
      if (number === undefined) {
        number = modules.size;
        modules.set(value, number);
      }
      moduleOf[rank] = number;
      patternEnd[rank] = end += key.length;
    }
    return {
      nodes: this.#nodes.done(),
      kids: this.#kids.done(),
      leaves: this.#leaves.done(),
      lists: this.#lists.done(),
      sets: new Uint8Array(Buffer.concat(this.#sets)),
      text: new Uint8Array(Buffer.from(this.#textParts.join(''), 'latin1')),
      moduleOf,
      patternEnd,
      patterns: new Uint8Array(Buffer.from(this.#ranked.map(({ key }) => key).join(''), 'latin1')),
      odd: Int32Array.from(this.#odd),
      modules: [...modules.keys()],
    };
  }

  /** A node for the patterns [from, to), which are equal in their first `depth` characters → its number. */
  #node(from: number, to: number, depth: number): number {
    const node = this.#nodes.extend(NODE_WORDS);
    const first = this.#text(from);
    const last = this.#text(to - 1);
    let end = depth;
    while (end < first.length && first.charCodeAt(end) === last.charCodeAt(end) && !isWild(first.charCodeAt(end)))
      end++;
    let at = from;
    const ranks = first.length === end ? (this.#patterns[at++]?.ranks ?? []) : [];

    let star = 0;
    let any = 0;
    const sets: number[] = [];
    const exact: { code: number; child: number }[] = [];
    while (at < to) {
      const code = this.#text(at).charCodeAt(end);
      const taken = code === OPEN ? this.#setText(at, end) : this.#text(at).charAt(end);
      let next = at + 1;
      while (next < to && this.#text(next).startsWith(taken, end)) next++;
      const child = this.#child(at, next, end + taken.length);
      if (code === STAR) star = child;
      else if (code === ANY) any = child;
      else if (code === OPEN) sets.push(this.#setNumber(taken), child);
      else exact.push({ code, child });
      at = next;
    }

    const firstCode = exact[0]?.code ?? 0;
    const span = exact.length === 0 ? 0 : (exact.at(-1)?.code ?? 0) - firstCode + 1;
    const kids = this.#kids.extend(span);
    for (const { code, child } of exact) this.#kids.words[kids + code - firstCode] = child;
    const label = this.#shared(first.slice(depth, end));
    const lists = ranks.length === 0 && sets.length === 0 ? 0 : this.#list(ranks, sets);
    this.#nodes.words.set([label, end - depth, kids, firstCode, span, star, any, lists], node);
    return node / NODE_WORDS;
  }

  /** One pattern text left → a leaf; several → a node. */
  #child(from: number, to: number, depth: number): number {
    if (to - from > 1) return this.#node(from, to, depth);
    const tail = this.#text(from).slice(depth);
    const values = this.#list(this.#patterns[from]?.ranks ?? [], []);
    const leaf = this.#leaves.length / LEAF_WORDS;
    this.#leaves.push(this.#shared(tail));
    this.#leaves.push(tail.length | (tail.includes('[') ? LEAF_IS_INTRICATE : 0));
    this.#leaves.push(values);
    return ~leaf;
  }

  #list(ranks: readonly number[], sets: readonly number[]): number {
    const at = this.#lists.length;
    this.#lists.push(ranks.length);
    for (const rank of ranks) this.#lists.push(rank);
    this.#lists.push(sets.length / 2);
    for (const word of sets) this.#lists.push(word);
    return at;
  }

  #text(i: number): string {
    return this.#patterns[i]?.text ?? '';
  }

  /** `[a-c]` at this place. */
  #setText(i: number, open: number): string {
    const text = this.#text(i);
    return text.slice(open, setEnd(text, open) + 1);
  }

  #setNumber(text: string): number {
    let number = this.#setNumbers.get(text);
    if (number === undefined) {
      number = this.#sets.length;
      this.#setNumbers.set(text, number);
      this.#sets.push(Uint8Array.from({ length: 256 }, (_, code) => (setHas(text, 0, text.length - 1, code) ? 1 : 0)));
    }
    return number;
  }

  /** Where a text stands in the one block of texts; equal texts stand there once. */
  #shared(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const at = this.#textLength;
    this.#texts.set(text, at);
    this.#textParts.push(text);
    this.#textLength += text.length;
    return at;
  }
}

function isWild(code: number): boolean {
  return code === STAR || code === ANY || code === OPEN;
}

/**
 * Whether the trie cannot take a pattern. A backslash before the first wildcard is an ordinary character, as libkmod walks its
 * index by bytes up to there; after it, it is an escape. No bus has either, so the trie is spared both.
 */
function isOdd(pattern: string): boolean {
  const wild = /[*?[]/.exec(pattern)?.index ?? -1;
  if (wild < 0) return false;
  if (pattern.includes('\\')) return true;
  for (let open = pattern.indexOf('['); open >= 0;) {
    const end = setEnd(pattern, open);
    if (end < 0) return true;
    open = pattern.indexOf('[', end);
  }
  return false;
}
