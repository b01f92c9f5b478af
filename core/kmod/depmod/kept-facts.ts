import { bytesOf, wordsOf } from '../cache-file.ts';
import type { ModuleFacts } from './module-facts.ts';

/**
 * Facts of many modules as bytes, in sections:
 *
 * ```
 * words   of each module in turn its exports, then its needs: numbers of names
 * texts   of each module in turn its aliases, softdeps and weakdeps, a NUL after each
 * counts  of each module: exports, needs, bytes of aliases, of softdeps, of weakdeps, number of aliases
 * ```
 */
export type FactSections = readonly [words: Buffer, texts: Buffer, counts: Buffer];

const COUNTS = 6;

interface Sections {
  readonly words: Int32Array;
  readonly texts: Buffer;
  readonly counts: Int32Array;
}

/** The facts of one module where they lie. A tree has tens of thousands of texts, and most runs look at those of a few modules. */
export class KeptFacts implements ModuleFacts {
  readonly #sections: Sections;
  /** Where its words, texts and counts begin. */
  readonly #wordAt: number;
  readonly #textAt: number;
  readonly #row: number;
  #exports: Int32Array | undefined;
  #needs: Int32Array | undefined;

  constructor(sections: Sections, wordAt: number, textAt: number, row: number) {
    this.#sections = sections;
    this.#wordAt = wordAt;
    this.#textAt = textAt;
    this.#row = row;
  }

  get exports(): Int32Array {
    return (this.#exports ??= this.#words(0, this.#count(0)));
  }

  get needs(): Int32Array {
    return (this.#needs ??= this.#words(this.#count(0), this.#count(1)));
  }

  get aliases(): readonly string[] {
    return this.#texts(0, this.aliasBytes);
  }

  get softdeps(): readonly string[] {
    return this.#texts(this.aliasBytes, this.#count(3));
  }

  get weakdeps(): readonly string[] {
    return this.#texts(this.aliasBytes + this.#count(3), this.#count(4));
  }

  /** How many bytes the aliases take, with the NUL after each. */
  get aliasBytes(): number {
    return this.#count(2);
  }

  get aliasCount(): number {
    return this.#count(5);
  }

  /** All texts as they lie, and the words that count them. */
  get packed(): PackedTexts {
    const { texts, counts } = this.#sections;
    const bytes = this.#count(2) + this.#count(3) + this.#count(4);
    return {
      texts: texts.subarray(this.#textAt, this.#textAt + bytes),
      counts: counts.subarray(this.#row, this.#row + COUNTS),
    };
  }

  #count(which: number): number {
    return this.#sections.counts[this.#row + which] ?? 0;
  }

  #words(from: number, count: number): Int32Array {
    return this.#sections.words.subarray(this.#wordAt + from, this.#wordAt + from + count);
  }

  #texts(from: number, bytes: number): readonly string[] {
    const at = this.#textAt + from;
    return bytes === 0 ? [] : this.#sections.texts.toString('latin1', at, at + bytes - 1).split('\0');
  }
}

interface PackedTexts {
  readonly texts: Buffer;
  readonly counts: ArrayLike<number>;
}

/** Sections → the facts of each module; undefined when they do not fit together. */
export function unpackFacts([wordBytes, texts, countBytes]: FactSections): readonly KeptFacts[] | undefined {
  const words = wordsOf(wordBytes);
  const counts = wordsOf(countBytes);
  const sections = { words, texts, counts };
  const facts: KeptFacts[] = [];
  let wordAt = 0;
  let textAt = 0;
  for (let row = 0; row < counts.length; row += COUNTS) {
    facts.push(new KeptFacts(sections, wordAt, textAt, row));
    wordAt += (counts[row] ?? 0) + (counts[row + 1] ?? 0);
    textAt += (counts[row + 2] ?? 0) + (counts[row + 3] ?? 0) + (counts[row + 4] ?? 0);
  }
  return wordAt === words.length && textAt === texts.length ? facts : undefined;
}

/** The other way round. */
export function packFacts(facts: readonly ModuleFacts[]): FactSections {
  const counts = new Int32Array(facts.length * COUNTS);
  const words = new Int32Array(facts.reduce((sum, { exports, needs }) => sum + exports.length + needs.length, 0));
  const texts: Buffer[] = [];
  let wordAt = 0;
  for (const [i, each] of facts.entries()) {
    const packed = each instanceof KeptFacts ? each.packed : packTexts(each);
    words.set(each.exports, wordAt);
    words.set(each.needs, wordAt + each.exports.length);
    wordAt += each.exports.length + each.needs.length;
    texts.push(packed.texts);
    counts.set(packed.counts, i * COUNTS);
  }
  return [bytesOf(words), Buffer.concat(texts), bytesOf(counts)];
}

function packTexts({ exports, needs, aliases, softdeps, weakdeps }: ModuleFacts): PackedTexts {
  const parts = [aliases, softdeps, weakdeps].map(list =>
    Buffer.from(list.map(text => `${text}\0`).join(''), 'latin1'),
  );
  const lengths = parts.map(({ length }) => length);
  return { texts: Buffer.concat(parts), counts: [exports.length, needs.length, ...lengths, aliases.length] };
}
