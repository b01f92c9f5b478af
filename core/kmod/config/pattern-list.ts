import { globMatches, hasWildcard } from '../lookup/glob.ts';

const NONE: readonly never[] = [];

/**
 * Patterns in order → which of them match a name. Almost all of them are plain names, found through a map; the few with
 * wildcards are tried one by one.
 */
export class PatternList<Item> {
  readonly #plain = new Map<string, { item: Item; order: number }[]>();
  readonly #wild: { pattern: string; item: Item; order: number }[] = [];
  /** Where there is none, no name is hashed: each device's modalias comes by here. */
  readonly #isEmpty: boolean;

  constructor(items: readonly Item[], patternOf: (item: Item) => string) {
    this.#isEmpty = items.length === 0;
    for (const [order, item] of items.entries()) {
      const pattern = patternOf(item);
      if (hasWildcard(pattern)) this.#wild.push({ pattern, item, order });
      else {
        const list = this.#plain.get(pattern);
        if (list) list.push({ item, order });
        else this.#plain.set(pattern, [{ item, order }]);
      }
    }
  }

  /** All that match, in order. */
  matching(name: string): readonly Item[] {
    if (this.#isEmpty) return NONE;
    const plain = this.#plain.get(name);
    if (this.#wild.length === 0) return plain?.map(({ item }) => item) ?? [];
    const wild = this.#wild.filter(({ pattern }) => globMatches(pattern, name));
    return [...(plain ?? []), ...wild].toSorted((a, b) => a.order - b.order).map(({ item }) => item);
  }

  /** The first that matches. */
  first(name: string): Item | undefined {
    return this.matching(name)[0];
  }

  /** The first whose pattern is exactly this text, wildcards and all. */
  written(pattern: string): Item | undefined {
    if (this.#isEmpty) return undefined;
    return this.#plain.get(pattern)?.[0]?.item ?? this.#wild.find(entry => entry.pattern === pattern)?.item;
  }
}
