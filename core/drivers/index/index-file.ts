import { createGunzip, createZstdDecompress } from 'node:zlib';
import { createReadStream, closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { UNPACKERS } from '../../kernel/unpackers.ts';
import { decodeLz4, isLz4 } from './lz4.ts';

/** Largest index that is read, packed, in bytes: Debian's largest (Contents of main) has 57 MB. */
export const PACKED_MAX_BYTES = 512 * 1024 * 1024;
/** Most bytes an index may expand to: Debian's largest has 520 MB. */
export const INDEX_MAX_BYTES = 2 * 1024 * 1024 * 1024;
/** Largest index that is packed with xz, in bytes once unpacked: liblzma is asked for the whole at once. */
const XZ_MAX_BYTES = 1024 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

const GZIP = Buffer.from('1f8b', 'hex');
const XZ = Buffer.from('fd377a585a00', 'hex');
const ZSTD = Buffer.from('28b52ffd', 'hex');

/**
 * An index of a package manager → its content, chunk by chunk; each chunk holds until the next is asked for. How it is packed is seen
 * by its first bytes: plain, gzip, xz, zstd or lz4.
 * @throws {UsherdError} FILE_UNREADABLE, INDEX_FILE_DAMAGED
 */
export async function* readIndexFile(file: string): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of chunksOf(file)) {
    total += chunk.length;
    if (total > INDEX_MAX_BYTES)
      throw new UsherdError('INDEX_FILE_DAMAGED', `${file}: it expands to more than ${INDEX_MAX_BYTES} bytes`, {
        file,
      });
    yield chunk;
  }
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  const head = headOf(file);
  const begins = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  if (isLz4(head)) yield* decodeLz4(whole(file), file);
  else if (begins(XZ)) yield unpackWhole(file);
  else if (begins(GZIP) || begins(ZSTD)) yield* unpackStream(file, begins(GZIP));
  else {
    try {
      for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) yield chunk as Buffer;
    } catch (error) {
      throw unreadable(file, error);
    }
  }
}

async function* unpackStream(file: string, isGzip: boolean): AsyncGenerator<Buffer> {
  const options = { chunkSize: CHUNK_BYTES };
  const unpacker = isGzip ? createGunzip(options) : createZstdDecompress(options);
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  source.once('error', error => unpacker.destroy(error));
  try {
    for await (const chunk of source.pipe(unpacker)) yield chunk as Buffer;
  } catch (error) {
    throw damaged(file, error);
  } finally {
    source.destroy();
  }
}

function unpackWhole(file: string): Buffer {
  try {
    return UNPACKERS.xz(whole(file), XZ_MAX_BYTES);
  } catch (error) {
    throw damaged(file, error);
  }
}

function headOf(file: string): Buffer {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const head = Buffer.alloc(16);
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    closeSync(fd);
  }
}

function whole(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  if (bytes.length > PACKED_MAX_BYTES)
    throw new UsherdError('INDEX_FILE_DAMAGED', `${file}: ${bytes.length} bytes; at most ${PACKED_MAX_BYTES} are read`);
  return bytes;
}

function unreadable(file: string, cause: unknown): UsherdError {
  return new UsherdError('FILE_UNREADABLE', `${file}: it cannot be read: ${(cause as Error).message}`, { file }, cause);
}

function damaged(file: string, cause: unknown): UsherdError {
  if (cause instanceof UsherdError && cause.code === 'FILE_UNREADABLE') return cause;
  const message = `${file}: it cannot be unpacked: ${(cause as Error).message}`;
  return new UsherdError('INDEX_FILE_DAMAGED', message, { file }, cause);
}
