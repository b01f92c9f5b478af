import { INDEX_HEADER_BYTES, NODE_CHILDREN, NODE_OFFSET_MASK, NODE_VALUES, type IndexEntry } from './index-format.ts';
import { inKeyOrder } from './index-writer.ts';
import { NodeWriter, tableOf, valuesOf, wordAt } from './node-writer.ts';

/**
 * An index as `writeIndex` wrote it, the pairs that are no longer in it and those that are new → what `writeIndex` would make of all
 * pairs now, byte for byte. What no pair lies in is copied as it is, with the offsets in it moved. Undefined when a pair that is to go is
 * not there: then the index is another than was thought.
 */
export function patchIndex(
  old: Buffer,
  removed: readonly IndexEntry[],
  added: readonly IndexEntry[],
): Buffer | undefined {
  const writer = new NodeWriter(
    old.length + added.reduce((sum, { key, value }) => sum + key.length + value.length, 64),
  );
  const root = old.length <= INDEX_HEADER_BYTES ? 0 : wordAt(old, 8);
  try {
    const word = new Patch(old, writer).node(root, '', { removed: inKeyOrder(removed), added: inKeyOrder(added) });
    return writer.finish(word === 0 ? INDEX_HEADER_BYTES : word);
  } catch (error) {
    if (error instanceof NotThere) return undefined;
    throw error;
  }
}

/** Pairs of some part of the index, in the order of their keys. */
interface Changes {
  readonly removed: readonly IndexEntry[];
  readonly added: readonly IndexEntry[];
}

class NotThere extends Error {}

class Patch {
  readonly #old: Buffer;
  readonly #writer: NodeWriter;

  constructor(old: Buffer, writer: NodeWriter) {
    this.#old = old;
    this.#writer = writer;
  }

  /** The node of a word, whose prefix begins behind `path`, with the changes below it → its new word; 0 when nothing is left of it. */
  node(word: number, path: string, changes: Changes): number {
    const { removed, added } = changes;
    if (word === 0) {
      if (removed.length > 0) throw new NotThere();
      return added.length === 0 ? 0 : this.#writer.entries(added, 0, added.length, path.length);
    }
    if (removed.length === 0 && added.length === 0) {
      const copied = this.#writer.subtree(this.#old, word);
      if (copied === undefined) throw new NotThere();
      return copied;
    }
    const at = this.#writer.at;
    const patched = this.#inPlace(word, path, changes);
    if (patched !== undefined) return patched;
    this.#writer.takeBack(at);
    const entries = this.#changed(this.#collect(word, path, []), changes);
    return entries.length === 0 ? 0 : this.#writer.entries(entries, 0, entries.length, path.length);
  }

  /** The same where the node keeps its prefix; undefined where a pair ends within that, or too few ways go on below. */
  #inPlace(word: number, path: string, { removed, added }: Changes): number | undefined {
    const key = path + this.#prefix(word);
    if (!allBegin(removed, key)) throw new NotThere();
    if (!allBegin(added, key)) return undefined;
    const values = this.#changed(this.#values(word, key), {
      removed: ownPairs(removed, key.length),
      added: ownPairs(added, key.length),
    });
    const childCodes: number[] = [];
    const childWords: number[] = [];
    const children = new Map(this.#children(word));
    const below = {
      removed: byCode(removed, key.length),
      added: byCode(added, key.length),
    };
    const codes = new Set([...children.keys(), ...below.removed.keys(), ...below.added.keys()]);
    for (const code of [...codes].toSorted((a, b) => a - b)) {
      const child = this.node(children.get(code) ?? 0, key + String.fromCharCode(code), {
        removed: below.removed.get(code) ?? [],
        added: below.added.get(code) ?? [],
      });
      if (child === 0) continue;
      childCodes.push(code);
      childWords.push(child);
    }
    const isRoot = path === '';
    const ways = childCodes.length + Number(values.length > 0);
    if (ways === 0 || (ways === 1 && values.length === 0 && !isRoot)) return undefined;
    return this.#writer.node({ prefix: key.slice(path.length), childCodes, childWords, values });
  }

  /** Pairs in order, without those that go and with those that come, in order. */
  #changed(entries: readonly IndexEntry[], { removed, added }: Changes): readonly IndexEntry[] {
    if (removed.length === 0 && added.length === 0) return entries;
    const going = new Map<string, number>();
    const nameOf = ({ key, priority, value }: IndexEntry): string => `${key}\0${priority}\0${value}`;
    for (const entry of removed) going.set(nameOf(entry), (going.get(nameOf(entry)) ?? 0) + 1);
    const left = entries.filter(entry => {
      const count = going.get(nameOf(entry)) ?? 0;
      if (count > 0) going.set(nameOf(entry), count - 1);
      return count === 0;
    });
    if (left.length !== entries.length - removed.length) throw new NotThere();
    // Of two with the same priority the later comes first, and the sort turns them round.
    return inKeyOrder([...left.toReversed(), ...added.toReversed()]);
  }

  /** All pairs at and below a node, in order. */
  #collect(word: number, path: string, into: IndexEntry[]): IndexEntry[] {
    const key = path + this.#prefix(word);
    into.push(...this.#values(word, key));
    for (const [code, child] of this.#children(word)) this.#collect(child, key + String.fromCharCode(code), into);
    return into;
  }

  #prefix(word: number): string {
    const offset = word & NODE_OFFSET_MASK;
    return this.#old.toString('latin1', offset, Math.max(offset, tableOf(this.#old, offset, word) - 1));
  }

  #children(word: number): [code: number, word: number][] {
    if ((word & NODE_CHILDREN) === 0) return [];
    const table = tableOf(this.#old, word & NODE_OFFSET_MASK, word);
    const children: [number, number][] = [];
    const last = this.#old[table + 1] ?? 0;
    for (let code = this.#old[table] ?? 0, at = table + 2; code <= last; code++, at += 4) {
      const child = wordAt(this.#old, at);
      // Below before above: a word that points elsewhere would lead in a circle.
      if ((child & NODE_OFFSET_MASK) >= (word & NODE_OFFSET_MASK)) throw new NotThere();
      if (child !== 0) children.push([code, child]);
    }
    return children;
  }

  #values(word: number, key: string): IndexEntry[] {
    if ((word & NODE_VALUES) === 0) return [];
    const old = this.#old;
    let at = valuesOf(old, word);
    const values: IndexEntry[] = [];
    const count = wordAt(old, at);
    at += 4;
    for (let i = 0; i < count && at < old.length; i++) {
      const end = old.indexOf(0, at + 4);
      if (end < 0) throw new NotThere();
      values.push({ key, priority: wordAt(old, at), value: old.toString('latin1', at + 4, end) });
      at = end + 1;
    }
    return values;
  }
}

/** Whether all begin with a text: in their order, what the first and the last begin with all do. */
function allBegin(entries: readonly IndexEntry[], key: string): boolean {
  return [entries[0], entries.at(-1)].every(entry => entry === undefined || entry.key.startsWith(key));
}

/** Those whose key ends at `depth`, which come first. */
function ownPairs(entries: readonly IndexEntry[], depth: number): readonly IndexEntry[] {
  let count = 0;
  while (entries[count]?.key.length === depth) count++;
  return entries.slice(0, count);
}

/** Pairs by the character of their key at `depth`; those that end there are in none. */
function byCode(entries: readonly IndexEntry[], depth: number): Map<number, IndexEntry[]> {
  const groups = new Map<number, IndexEntry[]>();
  for (const entry of entries) {
    if (entry.key.length <= depth) continue;
    const code = entry.key.charCodeAt(depth);
    const group = groups.get(code);
    if (group === undefined) groups.set(code, [entry]);
    else group.push(entry);
  }
  return groups;
}
