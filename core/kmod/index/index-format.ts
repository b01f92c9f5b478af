import { UsherdError } from '../../errors.ts';

/**
 * The files modules.*.bin: a trie from keys to (priority, value) pairs. Everything is big-endian.
 *
 * ```
 * file   u32 magic 0xB007F457 | u32 version (major << 16 | minor) | u32 root word | nodes…
 * word   offset of a node, with three flags above it:
 *        0x80000000 the node has a prefix   0x40000000 it has values   0x20000000 it has children
 * node   [prefix bytes, NUL]
 *        [u8 first | u8 last | u32 word of each child from first to last, 0 where there is none]
 *        [u32 count | count × (u32 priority | value bytes, NUL)]
 * ```
 * A key is the characters of the arcs and prefixes from the root down. Keys are 7-bit ASCII and end at a node with values.
 * Source: kmod libkmod-index.c, "Disk format". kmod up to 33 writes children before their parent, later ones after it; readers
 * take both.
 */
export const INDEX_MAGIC = 0xb007f457;
export const INDEX_VERSION_MAJOR = 2;
export const INDEX_VERSION_MINOR = 1;
export const INDEX_HEADER_BYTES = 12;

export const NODE_PREFIX = 0x80000000;
export const NODE_VALUES = 0x40000000;
export const NODE_CHILDREN = 0x20000000;
export const NODE_OFFSET_MASK = 0x0fffffff;

/** First byte a key cannot have: the nodes' child tables know 7 bits. */
export const INDEX_KEY_BYTE_LIMIT = 0x80;

/** One pair of an index. A lower priority comes first in an answer; depmod gives the position of the module in modules.dep. */
export interface IndexEntry {
  readonly key: string;
  readonly value: string;
  readonly priority: number;
}

/**
 * Header of a modules.*.bin file → its root word (offset and flags of the first node).
 * @throws {UsherdError} INDEX_TRUNCATED, INDEX_BAD_MAGIC, INDEX_BAD_VERSION
 */
export function readIndexHeader(bytes: Buffer, file: string): number {
  if (bytes.length < INDEX_HEADER_BYTES) {
    throw new UsherdError(
      'INDEX_TRUNCATED',
      `${file}: has ${bytes.length} bytes, an index begins with a header of ${INDEX_HEADER_BYTES}`,
      { file, bytes: bytes.length },
    );
  }
  const magic = bytes.readUInt32BE(0);
  if (magic !== INDEX_MAGIC) {
    throw new UsherdError(
      'INDEX_BAD_MAGIC',
      `${file}: begins with ${hex(magic)}, an index begins with ${hex(INDEX_MAGIC)}`,
      { file, magic },
    );
  }
  const version = bytes.readUInt32BE(4);
  if (version >>> 16 !== INDEX_VERSION_MAJOR) {
    throw new UsherdError(
      'INDEX_BAD_VERSION',
      `${file}: has version ${version >>> 16}.${version & 0xffff}, this reader knows ${INDEX_VERSION_MAJOR}.x`,
      { file, version },
    );
  }
  return bytes.readUInt32BE(8);
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
