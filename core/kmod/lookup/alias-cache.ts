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
import { crc32 } from 'node:zlib';
import type { CompiledAliases } from './compiled-aliases.ts';

/**
 * A compiled matcher kept as a file, so that a start takes milliseconds:
 *
 * ```
 * u32 magic "uAlC" | u32 version | u32 crc32 of all that follows | u32 length of the key | u32 lengths of the sections in bytes
 * key (text: what the index file was when this was made) | sections, each padded to 4 bytes
 * ```
 * Words are in the byte order of the machine; on another one the magic number is wrong and the file is not used.
 */
const MAGIC = 0x436c4175;
/** Raised whenever the compiled form changes its meaning. */
const VERSION = 1;
const WORD_SECTIONS = ['nodes', 'kids', 'leaves', 'lists', 'moduleOf', 'patternEnd', 'odd'] as const;
const BYTE_SECTIONS = ['sets', 'text', 'patterns'] as const;
const HEADER_WORDS = 4 + WORD_SECTIONS.length + BYTE_SECTIONS.length + 1;

/** Largest cache file read, in bytes; that of a distribution's whole kernel has about 3 MB. */
const CACHE_MAX_BYTES = 64 * 1024 * 1024;

/** What an index file is now: the cache made from it is good as long as this text is the same. */
export function aliasCacheKey(indexFile: string): string | undefined {
  const stats = statSync(indexFile, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

/** The cache file of an index: one for each index path, so that kernels do not push each other out. */
export function aliasCacheFile(dir: string, indexFile: string): string {
  const name = `${path.basename(path.dirname(indexFile))}-${path.basename(indexFile)}`;
  return path.join(dir, `${name}-${crc32(path.resolve(indexFile)).toString(16).padStart(8, '0')}.cache`);
}

/**
 * A cache file → the compiled patterns, or undefined when it cannot be used for whatever reason: not there, another index,
 * damaged, or a file or folder that somebody else owns or may write. Such a file is made again, never believed.
 */
export function readAliasCache(file: string, key: string): CompiledAliases | undefined {
  let fd: number | undefined;
  try {
    if (!isOurs(statSync(path.dirname(file)))) return undefined;
    fd = openSync(file, 'r');
    const stats = fstatSync(fd);
    if (!stats.isFile() || !isOurs(stats) || stats.size > CACHE_MAX_BYTES) return undefined;
    return decode(readFileSync(fd), key);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Writes a cache file beside its place and moves it there. False when that is not possible; nothing depends on it. */
export function writeAliasCache(file: string, key: string, compiled: CompiledAliases): boolean {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    if (!isOurs(statSync(path.dirname(file)))) return false;
    const fd = openSync(beside, 'wx', 0o644);
    try {
      const bytes = encode(compiled, key);
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

/** Whether only we may write it. */
function isOurs({ uid, mode }: { uid: number; mode: number }): boolean {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

function encode(compiled: CompiledAliases, key: string): Buffer {
  const sections = [
    ...WORD_SECTIONS.map(name => bytesOf(compiled[name])),
    ...BYTE_SECTIONS.map(name => bytesOf(compiled[name])),
    Buffer.from(compiled.modules.join('\n'), 'latin1'),
  ];
  const keyBytes = Buffer.from(key, 'latin1');
  const body = Buffer.concat([keyBytes, ...sections].map(padded));
  const header = new Uint32Array(HEADER_WORDS);
  header.set([MAGIC, VERSION, 0, keyBytes.length, ...sections.map(section => section.length)]);
  const headerBytes = bytesOf(header);
  header[2] = crc32(body, crc32(headerBytes.subarray(12)));
  return Buffer.concat([headerBytes, body]);
}

function decode(bytes: Buffer, key: string): CompiledAliases | undefined {
  if (bytes.length < HEADER_WORDS * 4 || bytes.byteOffset % 4 !== 0) return undefined;
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
  const [magic, version, checksum, keyLength = 0, ...lengths] = header;
  if (magic !== MAGIC || version !== VERSION) return undefined;
  const total = [keyLength, ...lengths].reduce((sum, length) => sum + length + padding(length), HEADER_WORDS * 4);
  if (total !== bytes.length) return undefined;
  let at = HEADER_WORDS * 4;
  const next = (length: number): Buffer => {
    const section = bytes.subarray(at, at + length);
    at += length + padding(length);
    return section;
  };
  if (next(keyLength).toString('latin1') !== key || crc32(bytes.subarray(12)) !== checksum) return undefined;
  const section = (name: string): Buffer =>
    next(lengths[[...WORD_SECTIONS, ...BYTE_SECTIONS].indexOf(name as never)] ?? 0);
  const words = (name: (typeof WORD_SECTIONS)[number]): Int32Array => {
    const part = section(name);
    return new Int32Array(part.buffer, part.byteOffset, part.length / 4);
  };
  return {
    nodes: words('nodes'),
    kids: words('kids'),
    leaves: words('leaves'),
    lists: words('lists'),
    moduleOf: words('moduleOf'),
    patternEnd: words('patternEnd'),
    odd: words('odd'),
    sets: section('sets'),
    text: section('text'),
    patterns: section('patterns'),
    modules: next(lengths.at(-1) ?? 0)
      .toString('latin1')
      .split('\n'),
  };
}

function bytesOf(array: Int32Array | Uint32Array | Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(padding(bytes.length))]);
}
