import { readFileSync } from 'node:fs';
import { gunzip, gunzipSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import path from 'node:path';
import { promisify } from 'node:util';
import { UsherdError } from '../../errors.ts';
import { type ByteSource, memorySource } from './byte-source.ts';

/** How a module file is packed. */
export type Compression = 'none' | 'gzip' | 'xz' | 'zstd';

/** Most bytes a module may expand to; the largest real ones expand to some 70 MiB. */
export const DECOMPRESSED_MAX_BYTES = 256 * 1024 * 1024;
/** Most times its own size a module may expand to; real ones reach about 20. Small files may reach `DECOMPRESSED_FREE_BYTES`. */
export const EXPANSION_MAX_RATIO = 256;
/** What any file may expand to whatever the ratio, in bytes: a nearly empty module packs very well. */
export const DECOMPRESSED_FREE_BYTES = 4 * 1024 * 1024;

/** Packed bytes → what was packed; throws when that has more than `maxBytes`, or is damaged. */
export type Decompressor = (bytes: Buffer, maxBytes: number) => Buffer;

/** What unpacks each format. xz needs a native library, so whoever has it hands it in. */
export interface Decompressors {
  readonly gzip: Decompressor;
  readonly zstd: Decompressor;
  readonly xz: Decompressor;
}

/** A packed file that was found to have so many bytes. */
export interface PackedFile {
  readonly file: string;
  readonly size: number;
}

/** What was in a file. Disposing of it gives its memory back at once, for the next file: thousands would pile up until garbage is collected. */
export interface Unpacked extends Disposable {
  readonly bytes: Buffer;
}

/** The same of a file, done by another thread. */
export type AsideDecompressor = (packed: PackedFile, maxBytes: number) => Promise<Unpacked>;

/** What unpacks each format while this thread does something else. */
export interface AsideDecompressors {
  readonly gzip: AsideDecompressor;
  readonly zstd: AsideDecompressor;
  readonly xz: AsideDecompressor;
}

/** Node's own decompressors, with the one for xz given; without it an .xz file is COMPRESSION_UNAVAILABLE. */
export function decompressors(xz: Decompressor = xzUnavailable): Decompressors {
  return {
    gzip: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
    zstd: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
    xz,
  };
}

/** Node's own decompressors on the threads of its pool, with the one for xz given. */
export function asideDecompressors(xz: AsideDecompressor): AsideDecompressors {
  return {
    gzip: async ({ file, size }, maxBytes) =>
      detachable(await promisify(gunzip)(readFileSync(file), streamOptions(size, maxBytes))),
    zstd: async ({ file, size }, maxBytes) =>
      detachable(await promisify(zstdDecompress)(readFileSync(file), streamOptions(size, maxBytes))),
    xz,
  };
}

/** Each piece of output costs one trip to the pool and back, so a whole module should be one: most shrink to a third or quarter. */
function streamOptions(packedBytes: number, maxOutputLength: number): { maxOutputLength: number; chunkSize: number } {
  return { maxOutputLength, chunkSize: Math.min(maxOutputLength, Math.max(64 * 1024, packedBytes * 5)) };
}

function xzUnavailable(): never {
  throw new UsherdError('COMPRESSION_UNAVAILABLE', 'an .xz module needs liblzma, and nothing here unpacks it');
}

const MAGIC: readonly { readonly compression: Exclude<Compression, 'none'>; readonly bytes: Buffer }[] = [
  { compression: 'zstd', bytes: Buffer.from('28b52ffd', 'hex') },
  { compression: 'xz', bytes: Buffer.from('fd377a585a00', 'hex') },
  { compression: 'gzip', bytes: Buffer.from('1f8b', 'hex') },
];

/** The packing of a file, by its first bytes; its name says nothing. Source: kmod libkmod-file.c. */
export function detectCompression(source: ByteSource): Compression {
  const head = source.read(0, Math.min(6, source.size));
  return MAGIC.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes))?.compression ?? 'none';
}

/** Most bytes that what has `packedBytes` may expand to. */
export function expansionLimit(packedBytes: number): number {
  return Math.min(DECOMPRESSED_MAX_BYTES, Math.max(DECOMPRESSED_FREE_BYTES, packedBytes * EXPANSION_MAX_RATIO));
}

/**
 * A module file as it is, packed or not → the same, unpacked.
 * @throws {UsherdError} MODULE_FILE_DAMAGED, MODULE_FILE_TOO_LARGE, COMPRESSION_UNAVAILABLE
 */
export function unpack(source: ByteSource, unpackers: Decompressors): { source: ByteSource; compression: Compression } {
  const compression = detectCompression(source);
  if (compression === 'none') return { source, compression };
  const maxBytes = expansionLimit(source.size);
  try {
    const bytes = unpackers[compression](source.read(0, source.size), maxBytes);
    if (bytes.length > maxBytes) throw tooLarge(source, compression, maxBytes);
    return { source: memorySource(bytes, source.file), compression };
  } catch (error) {
    throw refusal(source, compression, maxBytes, error);
  }
}

/** What a file of a name is packed with, as far as its name says so. */
const SUFFIXES: Readonly<Record<string, keyof AsideDecompressors>> = { '.gz': 'gzip', '.xz': 'xz', '.zst': 'zstd' };

/**
 * The same by another thread, of a file that is packed as its name says; undefined where it is not, or cannot be unpacked for whatever
 * reason: who unpacks it here will say so.
 */
export async function unpackAside(
  packed: PackedFile,
  unpackers: AsideDecompressors,
): Promise<(ByteSource & Disposable) | undefined> {
  const compression = SUFFIXES[path.extname(packed.file)];
  if (compression === undefined) return undefined;
  const maxBytes = expansionLimit(packed.size);
  try {
    const unpacked = await unpackers[compression](packed, maxBytes);
    if (unpacked.bytes.length > maxBytes) return undefined;
    return { ...memorySource(unpacked.bytes, packed.file), [Symbol.dispose]: () => unpacked[Symbol.dispose]() };
  } catch {
    return undefined;
  }
}

/** Memory of Node's own that nothing else lies in is taken away from the Buffer. */
function detachable(bytes: Buffer): Unpacked {
  const { buffer, length } = bytes;
  const dispose = (): void => {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
  };
  return { bytes, [Symbol.dispose]: dispose };
}

function refusal(source: ByteSource, compression: Compression, maxBytes: number, error: unknown): UsherdError {
  if (error instanceof UsherdError) return error;
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
    return tooLarge(source, compression, maxBytes, error);
  return new UsherdError(
    'MODULE_FILE_DAMAGED',
    `${source.file}: is not sound ${compression} data: ${(error as Error).message}`,
    { file: source.file, compression },
    error,
  );
}

function tooLarge(source: ByteSource, compression: Compression, maxBytes: number, cause?: unknown): UsherdError {
  return new UsherdError(
    'MODULE_FILE_TOO_LARGE',
    `${source.file}: ${source.size} bytes of ${compression} expand to more than ${maxBytes}`,
    { file: source.file, size: source.size, maxBytes },
    cause,
  );
}
