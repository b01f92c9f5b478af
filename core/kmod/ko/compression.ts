import { gunzip, gunzipSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
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

/** The same, done by another thread. */
export type AsideDecompressor = (bytes: Buffer, maxBytes: number) => Promise<Buffer>;

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
    gzip: async (bytes, maxBytes) => promisify(gunzip)(bytes, streamOptions(bytes, maxBytes)),
    zstd: async (bytes, maxBytes) => promisify(zstdDecompress)(bytes, streamOptions(bytes, maxBytes)),
    xz,
  };
}

/** Each piece of output costs one trip to the pool and back, so a whole module should be one: most shrink to a third or quarter. */
function streamOptions(bytes: Buffer, maxOutputLength: number): { maxOutputLength: number; chunkSize: number } {
  return { maxOutputLength, chunkSize: Math.min(maxOutputLength, Math.max(64 * 1024, bytes.length * 5)) };
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

/** The same by another thread, of a file that is in memory; those bytes must stay as they are meanwhile. */
export async function unpackAside(source: ByteSource, unpackers: AsideDecompressors): Promise<ByteSource> {
  const compression = detectCompression(source);
  if (compression === 'none') return source;
  const maxBytes = expansionLimit(source.size);
  try {
    const bytes = await unpackers[compression](source.read(0, source.size), maxBytes);
    if (bytes.length > maxBytes) throw tooLarge(source, compression, maxBytes);
    return memorySource(bytes, source.file);
  } catch (error) {
    throw refusal(source, compression, maxBytes, error);
  }
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
