import { INDEX_HEADER_BYTES, INDEX_KEY_BYTE_LIMIT, type IndexEntry } from './index-format.ts';
import { NodeWriter } from './node-writer.ts';

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
  const sorted = inKeyOrder(entries);
  // A node needs at most its share of the key, a child table and its values; the buffer grows when that guess is short.
  const writer = new NodeWriter(entries.reduce((sum, { value }) => sum + value.length + 40, 0));
  // An index without a single pair is its header; the root word then points at its end.
  return writer.finish(sorted.length === 0 ? INDEX_HEADER_BYTES : writer.entries(sorted, 0, sorted.length, 0));
}

/** Pairs by key, those of one key as they are stored. */
export function inKeyOrder(entries: readonly IndexEntry[]): IndexEntry[] {
  // The sort keeps the order of equals, so turned round before it the later of them comes first.
  return entries.toReversed().toSorted((a, b) => compareKeys(a.key, b.key) || a.priority - b.priority);
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
