/**
 * The order depmod's hash tables hand out their keys in; the files it writes follow it. The hash is Paul Hsieh's SuperFastHash
 * with the length as its seed, described at azillionmonkeys.com/qed/hash.html, in kmod's shared/hash.c. Keys are 7-bit texts.
 */
export function superFastHash(key: string): number {
  const length = key.length;
  let hash = length;
  let at = 0;
  const pair = (i: number): number => (key.charCodeAt(i) & 0xff) | ((key.charCodeAt(i + 1) & 0xff) << 8);
  for (let words = length >> 2; words > 0; words--, at += 4) {
    hash = (hash + pair(at)) | 0;
    const mixed = (pair(at + 2) << 11) ^ hash;
    hash = (hash << 16) ^ mixed;
    hash = (hash + (hash >>> 11)) | 0;
  }
  switch (length & 3) {
    case 3:
      hash = (hash + pair(at)) | 0;
      hash ^= hash << 16;
      hash ^= key.charCodeAt(at + 2) << 18;
      hash = (hash + (hash >>> 11)) | 0;
      break;
    case 2:
      hash = (hash + pair(at)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
      break;
    case 1:
      hash = (hash + key.charCodeAt(at)) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
      break;
    default:
      break;
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  hash = (hash + (hash >>> 6)) | 0;
  return hash >>> 0;
}

/** Buckets of depmod's tables, powers of two. Source: kmod tools/depmod.c, depmod_init. */
export const MODULE_BUCKETS = 512;
export const SYMBOL_BUCKETS = 2048;

/** Items in the order a table of so many buckets hands them out: by bucket, in it by byte order of the keys. */
export function inHashOrder<Item>(items: readonly Item[], keyOf: (item: Item) => string, buckets: number): Item[] {
  const table: Item[][] = Array.from({ length: buckets }, () => []);
  for (const item of items) table[superFastHash(keyOf(item)) & (buckets - 1)]?.push(item);
  const ordered: Item[] = [];
  for (const bucket of table) {
    if (bucket.length > 1) ordered.push(...bucket.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)));
    else ordered.push(...bucket);
  }
  return ordered;
}
