import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UsherdError } from '../errors.ts';
import { DECOMPRESSORS, type Compression } from './decompressors.ts';

/** Larger than any module there is (Debian's largest has 6 MB, compressed ones 2 MB), small enough not to hurt. */
const FILE_MAX_BYTES = 128 * 1024 * 1024;
const IMAGE_MAX_BYTES = 256 * 1024 * 1024;

/** First bytes of each compression. A file's name says nothing: the kernel and libkmod look at the bytes too. */
const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['zstd', Buffer.from('28b52ffd', 'hex')],
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['gzip', Buffer.from('1f8b', 'hex')],
];

/** How a module file is compressed, by its first bytes; undefined when it is not, or cannot be read. */
export function compressionOf(file: string): Compression | undefined {
  try {
    return magicOf(readFile(file, 6));
  } catch {
    return undefined;
  }
}

/**
 * A module file → the image init_module(2) takes.
 * @throws {UsherdError} FILE_UNREADABLE, MODULE_FILE_TOO_LARGE, MODULE_FILE_DAMAGED, COMPRESSION_UNAVAILABLE
 */
export function readModuleImage(file: string): Buffer {
  const bytes = readFile(file, FILE_MAX_BYTES);
  const compression = magicOf(bytes);
  return compression === undefined ? bytes : DECOMPRESSORS[compression](bytes, IMAGE_MAX_BYTES);
}

function magicOf(bytes: Buffer): Compression | undefined {
  return MAGIC.find(([, magic]) => bytes.subarray(0, magic.length).equals(magic))?.[0];
}

function readFile(file: string, maxBytes: number): Buffer {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
  try {
    const { size } = fstatSync(fd);
    if (size > FILE_MAX_BYTES) {
      throw new UsherdError('MODULE_FILE_TOO_LARGE', `${file} has ${size} bytes, at most ${FILE_MAX_BYTES} are read`, {
        file,
      });
    }
    const bytes = Buffer.alloc(Math.min(size, maxBytes));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}
