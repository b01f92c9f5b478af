import { crc32 } from 'node:zlib';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

/**
 * A file that can be made again at any time, kept to save the work:
 *
 * ```
 * u32 magic "uCac" | u32 version | u32 crc32 of all that follows | u32 n | n × u32 length of a section in bytes
 * n sections, each padded to 8 bytes; the first is the key, a text that says what the rest was made from
 * ```
 * Words are in the byte order of the machine; on another one the magic number is wrong and the file is not used.
 */
const MAGIC = 0x63614375;
const HEADER_WORDS = 4;
const ALIGNMENT = 8;

/** Largest cache file read, in bytes; those of a distribution's whole kernel have about 5 MB. */
export const CACHE_FILE_MAX_BYTES = 128 * 1024 * 1024;
/** Most sections in one. */
const SECTIONS_MAX = 64;

/** What kind of cache a file is: another version, or another key, and it is not used. */
export interface CacheIdentity {
  /** Raised whenever the sections change their meaning. */
  readonly version: number;
  readonly key: string;
}

/** How an open file of `sizeBytes` bytes is read: mapped, where somebody can. */
export type ReadWhole = (fd: number, sizeBytes: number) => Buffer;

/**
 * A cache file → its sections behind the key, or undefined when it cannot be used for whatever reason: not there, made from something
 * else, damaged, or a file or folder that somebody else owns or may write. Such a file is made again, never believed.
 */
export function readCacheFile(
  file: string,
  identity: CacheIdentity,
  read: ReadWhole = fd => readFileSync(fd),
): Buffer[] | undefined {
  let fd: number | undefined;
  try {
    if (!isOurs(statSync(path.dirname(file)))) return undefined;
    fd = openSync(file, 'r');
    const stats = fstatSync(fd);
    if (!stats.isFile() || !isOurs(stats) || stats.size > CACHE_FILE_MAX_BYTES) return undefined;
    return decode(read(fd, stats.size), identity);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Writes a cache file beside its place and moves it there. False when that is not possible; nothing depends on it. */
export function writeCacheFile(file: string, identity: CacheIdentity, sections: readonly Uint8Array[]): boolean {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    if (!isOurs(statSync(path.dirname(file)))) return false;
    const fd = openSync(beside, 'wx', 0o644);
    try {
      for (const bytes of encode(identity, sections))
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
    return true;
  } catch {
    try {
      unlinkSync(beside);
    } catch {
      // It was never made.
    }
    return false;
  }
}

/** A section's words, in place. Sections begin at multiples of 8 bytes, so this is always possible. */
export function wordsOf(section: Buffer): Int32Array {
  return new Int32Array(section.buffer, section.byteOffset, section.length >> 2);
}

/** The bytes of a typed array, in place. */
export function bytesOf(array: Int32Array | Uint32Array | Uint8Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** Whether only we may write it. */
function isOurs({ uid, mode }: { uid: number; mode: number }): boolean {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

/** The pieces of a file, one behind the other. */
function encode({ version, key }: CacheIdentity, sections: readonly Uint8Array[]): readonly Uint8Array[] {
  const all = [Buffer.from(key, 'latin1'), ...sections];
  const lengths = Uint32Array.from(all, ({ length }) => length);
  const headerBytes = HEADER_WORDS * 4 + lengths.byteLength;
  const parts: Uint8Array[] = [bytesOf(lengths), zeroes(padding(headerBytes))];
  for (const section of all) parts.push(section, zeroes(padding(section.length)));
  const checksum = parts.reduce((crc, part) => crc32(part, crc), 0);
  return [bytesOf(Uint32Array.from([MAGIC, version, checksum, all.length])), ...parts];
}

function decode(file: Buffer, { version, key }: CacheIdentity): Buffer[] | undefined {
  // A small file may lie anywhere in Node's pool of buffers; words have to be aligned.
  const bytes = file.byteOffset % ALIGNMENT === 0 ? file : Buffer.from(new Uint8Array(file).buffer);
  if (bytes.length < HEADER_WORDS * 4) return undefined;
  const [magic, fileVersion, checksum, count = 0] = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
  const headerBytes = HEADER_WORDS * 4 + count * 4;
  if (magic !== MAGIC || fileVersion !== version || count > SECTIONS_MAX || bytes.length < headerBytes)
    return undefined;
  if (crc32(bytes.subarray(HEADER_WORDS * 4)) !== checksum) return undefined;
  const sections: Buffer[] = [];
  let at = headerBytes + padding(headerBytes);
  for (const length of new Uint32Array(bytes.buffer, bytes.byteOffset + HEADER_WORDS * 4, count)) {
    if (length > bytes.length - at) return undefined;
    sections.push(bytes.subarray(at, at + length));
    at += length + padding(length);
  }
  const ownKey = sections.shift();
  return at === bytes.length && ownKey?.toString('latin1') === key ? sections : undefined;
}

function padding(length: number): number {
  return (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
}

function zeroes(count: number): Buffer {
  return Buffer.alloc(count);
}
