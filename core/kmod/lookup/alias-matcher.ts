import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { IndexEntry } from '../index/index-format.ts';
import { compileAliases, LEAF_IS_INTRICATE, LEAF_WORDS, NODE_WORDS, type CompiledAliases } from './compiled-aliases.ts';
import { globMatches } from './glob.ts';
import { bytesToText, tailMatches } from './pattern-tail.ts';

/** One pattern that matched, with its module. */
export interface AliasHit {
  readonly pattern: string;
  readonly module: ModuleName;
}

const NO_HITS: readonly never[] = [];

/** Up to this many answers are put in order one by one. */
const FEW_HITS = 16;

const STAR = 0x2a;
const ANY = 0x3f;

/**
 * Finds every pattern that matches a text, in one walk of a trie. A star that is reached at an earlier position takes in all it
 * would find from a later one, so each star is walked once, and the work is bounded by nodes × length whatever the patterns are.
 * Texts are one character a byte. Not to be shared between threads: it has scratch space of its own.
 */
export class AliasMatcher<Told extends object = object> {
  readonly compiled: CompiledAliases;
  readonly #told: Told;
  /** Answers that were given, after a place for none, and by rank where each stands. Devices have some dozens of the thousands there are. */
  readonly #hits: ((AliasHit & Told) | undefined)[] = [undefined];
  readonly #hitAt: Int32Array;
  /** Look-up in which each star node, and the first star of each leaf, was last reached, and where; in which each rank was found. */
  readonly #starSeenIn: Int32Array;
  readonly #starSeenAt: Int32Array;
  readonly #leafSeenIn: Int32Array;
  readonly #leafSeenAt: Int32Array;
  readonly #rankFoundIn: Int32Array;
  readonly #found: Int32Array;
  #foundCount = 0;
  #lookup = 0;
  /** The text looked up, copied: one slow reading of a string that may be a slice of a larger one, then fast ones. */
  #bytes = new Uint16Array(256);
  #length = 0;
  #query = '';

  /** `told` is said with every answer; an answer is made once and then shared. */
  constructor(compiled: CompiledAliases, told: Told) {
    this.compiled = compiled;
    this.#told = told;
    this.#hitAt = new Int32Array(compiled.moduleOf.length);
    this.#starSeenIn = new Int32Array(compiled.nodes.length / NODE_WORDS);
    this.#starSeenAt = new Int32Array(compiled.nodes.length / NODE_WORDS);
    this.#leafSeenIn = new Int32Array(compiled.leaves.length / LEAF_WORDS);
    this.#leafSeenAt = new Int32Array(compiled.leaves.length / LEAF_WORDS);
    this.#rankFoundIn = new Int32Array(compiled.moduleOf.length);
    this.#found = new Int32Array(compiled.moduleOf.length);
  }

  /** Normalised patterns with their modules and priorities → a matcher. */
  static build<Told extends object>(entries: readonly IndexEntry[], told: Told): AliasMatcher<Told> {
    return new AliasMatcher(compileAliases(entries), told);
  }

  /** Every pattern that matches, in libkmod's order. A module stands there once for each of its patterns. */
  match(query: string): readonly (AliasHit & Told)[] {
    // The marks of the last two thousand million look-ups are told apart by this number; then they are wiped.
    if (++this.#lookup === 0x7fffffff) this.#forget();
    this.#read(query);
    this.#foundCount = 0;
    this.#walk(0, 0);
    if (this.compiled.odd.length > 0) this.#matchOdd();
    if (this.#foundCount === 0) return NO_HITS;
    if (this.#foundCount === 1) return [this.#hit(this.#found[0] ?? 0)];
    return this.#inOrder();
  }

  /** Every pattern there is, in the order of answers. */
  patterns(): string[] {
    return Array.from(this.compiled.moduleOf, (_, rank) => this.#pattern(rank));
  }

  #read(query: string): void {
    if (query.length > this.#bytes.length) this.#bytes = new Uint16Array(query.length * 2);
    const bytes = this.#bytes;
    const length = query.length;
    for (let i = 0; i < length; i++) bytes[i] = query.charCodeAt(i);
    this.#length = length;
    this.#query = query;
  }

  /** What was found, by rank. There are rarely more than four, which is too few for a sort to pay. */
  #inOrder(): (AliasHit & Told)[] {
    if (this.#foundCount > FEW_HITS) {
      return Array.from(this.#found.subarray(0, this.#foundCount).toSorted(), rank => this.#hit(rank));
    }
    const found = this.#found;
    const hits: (AliasHit & Told)[] = [];
    for (let i = 0; i < this.#foundCount; i++) {
      const rank = found[i] ?? 0;
      let at = i;
      for (; at > 0 && (found[at - 1] ?? 0) > rank; at--) found[at] = found[at - 1] ?? 0;
      found[at] = rank;
    }
    for (let i = 0; i < this.#foundCount; i++) hits.push(this.#hit(found[i] ?? 0));
    return hits;
  }

  #hit(rank: number): AliasHit & Told {
    const known = this.#hits[this.#hitAt[rank] ?? 0];
    if (known !== undefined) return known;
    const hit = this.#makeHit(rank);
    this.#hitAt[rank] = this.#hits.push(hit) - 1;
    return hit;
  }

  #makeHit(rank: number): AliasHit & Told {
    const { modules, moduleOf } = this.compiled;
    const module = modules[moduleOf[rank] ?? 0] ?? '';
    return { pattern: this.#pattern(rank), module: module as ModuleName, ...this.#told };
  }

  #pattern(rank: number): string {
    const { patterns, patternEnd } = this.compiled;
    return bytesToText(patterns, rank === 0 ? 0 : (patternEnd[rank - 1] ?? 0), patternEnd[rank] ?? 0);
  }

  #forget(): void {
    this.#lookup = 1;
    for (const marks of [this.#starSeenIn, this.#leafSeenIn, this.#rankFoundIn]) marks.fill(0);
  }

  #matchOdd(): void {
    for (const rank of this.compiled.odd) {
      const pattern = this.#pattern(rank);
      const wild = pattern.search(/[*?[]/);
      if (this.#query.startsWith(pattern.slice(0, wild)) && globMatches(pattern, this.#query, wild, wild)) {
        this.#take(rank);
      }
    }
  }

  #take(rank: number): void {
    if (this.#rankFoundIn[rank] === this.#lookup) return;
    this.#rankFoundIn[rank] = this.#lookup;
    this.#found[this.#foundCount++] = rank;
  }

  #takeList(at: number): void {
    const { lists } = this.compiled;
    const end = at + (lists[at] ?? 0);
    for (let i = at + 1; i <= end; i++) this.#take(lists[i] ?? 0);
  }

  /** The node's patterns against the text from this position on; exact children are followed here, the others by calls. */
  #walk(fromNode: number, fromPosition: number): void {
    const { nodes, kids, text } = this.compiled;
    const bytes = this.#bytes;
    const length = this.#length;
    let node = fromNode;
    let at = fromPosition;
    for (;;) {
      const base = node * NODE_WORDS;
      let label = nodes[base] ?? 0;
      const labelEnd = label + (nodes[base + 1] ?? 0);
      if (labelEnd - label > length - at) return;
      while (label < labelEnd) if (text[label++] !== bytes[at++]) return;
      const list = nodes[base + 7] ?? 0;
      if (at === length && list !== 0) this.#takeList(list);
      const star = nodes[base + 5] ?? 0;
      if (star !== 0) this.#enterStar(star, at);
      if (at === length) return;
      const code = bytes[at++] ?? 0;
      const any = nodes[base + 6] ?? 0;
      if (any !== 0) this.#enter(any, at);
      if (list !== 0) this.#enterSets(list, code, at);
      const kid = code - (nodes[base + 3] ?? 0);
      if (kid < 0 || kid >= (nodes[base + 4] ?? 0)) return;
      const child = kids[(nodes[base + 2] ?? 0) + kid] ?? 0;
      if (child <= 0) {
        if (child < 0) this.#tryLeaf(~child, at);
        return;
      }
      node = child;
    }
  }

  #enter(child: number, at: number): void {
    if (child < 0) this.#tryLeaf(~child, at);
    else this.#walk(child, at);
  }

  #enterSets(list: number, code: number, at: number): void {
    const { lists, sets } = this.compiled;
    const start = list + (lists[list] ?? 0) + 1;
    const end = start + 2 * (lists[start] ?? 0);
    for (let i = start + 1; i < end; i += 2) {
      if (code < 256 && sets[(lists[i] ?? 0) * 256 + code] === 1) this.#enter(lists[i + 1] ?? 0, at);
    }
  }

  /** A star has been reached: what stands behind it may begin at any position from here to the end. */
  #enterStar(child: number, from: number): void {
    if (child < 0) {
      this.#tryStarLeaf(~child, from);
      return;
    }
    if (this.#starSeenIn[child] === this.#lookup && (this.#starSeenAt[child] ?? 0) <= from) return;
    this.#starSeenIn[child] = this.#lookup;
    this.#starSeenAt[child] = from;
    const { nodes, text } = this.compiled;
    const bytes = this.#bytes;
    const length = this.#length;
    const base = child * NODE_WORDS;
    if ((nodes[base + 1] ?? 0) > 0) {
      const first = text[nodes[base] ?? 0];
      for (let at = from; at < length; at++) if (bytes[at] === first) this.#walk(child, at);
      return;
    }
    this.#enterBareStar(base, from);
  }

  /** The same for a node without a label: its own values take the rest of the text, its children are tried at each position. */
  #enterBareStar(base: number, from: number): void {
    const { nodes, kids } = this.compiled;
    const list = nodes[base + 7] ?? 0;
    if (list !== 0) this.#takeList(list);
    const star = nodes[base + 5] ?? 0;
    if (star !== 0) this.#enterStar(star, from);
    const any = nodes[base + 6] ?? 0;
    const first = nodes[base + 3] ?? 0;
    const span = nodes[base + 4] ?? 0;
    const kidBase = nodes[base + 2] ?? 0;
    for (let at = from; at < this.#length; at++) {
      const code = this.#bytes[at] ?? 0;
      if (any !== 0) this.#enter(any, at + 1);
      if (list !== 0) this.#enterSets(list, code, at + 1);
      const kid = code - first;
      if (kid >= 0 && kid < span) {
        const child = kids[kidBase + kid] ?? 0;
        if (child !== 0) this.#enter(child, at + 1);
      }
    }
  }

  /** The one pattern left, from its tail on. */
  #tryLeaf(leaf: number, at: number): void {
    const { leaves, text } = this.compiled;
    const bytes = this.#bytes;
    const base = leaf * LEAF_WORDS;
    let tail = leaves[base] ?? 0;
    const size = leaves[base + 1] ?? 0;
    const tailEnd = tail + (size & ~LEAF_IS_INTRICATE);
    if (size >= LEAF_IS_INTRICATE) {
      if (globMatches(bytesToText(this.compiled.text, tail, tailEnd), this.#query, 0, at))
        this.#takeList(leaves[base + 2] ?? 0);
      return;
    }
    let position = at;
    while (tail < tailEnd) {
      const code = text[tail];
      if (code === STAR) {
        this.#tryLeafStar(leaf, tail + 1, tailEnd, position);
        return;
      }
      if (position === this.#length || (code !== ANY && code !== bytes[position])) return;
      tail++;
      position++;
    }
    if (position === this.#length) this.#takeList(leaves[base + 2] ?? 0);
  }

  /** A leaf directly behind a star. */
  #tryStarLeaf(leaf: number, at: number): void {
    const { leaves } = this.compiled;
    const base = leaf * LEAF_WORDS;
    const tail = leaves[base] ?? 0;
    const size = leaves[base + 1] ?? 0;
    const tailEnd = tail + (size & ~LEAF_IS_INTRICATE);
    if (size < LEAF_IS_INTRICATE) this.#tryLeafStar(leaf, tail, tailEnd, at);
    else if (globMatches(`*${bytesToText(this.compiled.text, tail, tailEnd)}`, this.#query, 0, at)) {
      this.#takeList(leaves[base + 2] ?? 0);
    }
  }

  /** What stands behind a leaf's first star; from a later position it cannot find what it did not find from an earlier one. */
  #tryLeafStar(leaf: number, tail: number, tailEnd: number, at: number): void {
    if (this.#leafSeenIn[leaf] === this.#lookup && (this.#leafSeenAt[leaf] ?? 0) <= at) return;
    this.#leafSeenIn[leaf] = this.#lookup;
    this.#leafSeenAt[leaf] = at;
    if (tailMatches(this.compiled.text, tail, tailEnd, this.#bytes, at, this.#length))
      this.#takeList(this.compiled.leaves[leaf * LEAF_WORDS + 2] ?? 0);
  }
}
