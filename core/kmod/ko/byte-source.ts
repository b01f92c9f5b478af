import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';

/** Largest module file read, in bytes; the largest of a distribution (amdgpu with debug data) stays under 64 MiB. */
export const MODULE_FILE_MAX_BYTES = 128 * 1024 * 1024;

/** Bytes that are read piece by piece, so that of a large file only what is asked for is touched. */
export interface ByteSource {
  readonly file: string;
  readonly size: number;
  /** Exactly these bytes. @throws {UsherdError} MODULE_FILE_DAMAGED when the source ends before them */
  read(offset: number, length: number): Buffer;
}

/** Bytes that are in memory already. Pieces share that memory. */
export function memorySource(bytes: Buffer, file: string): ByteSource {
  return {
    file,
    size: bytes.length,
    read(offset, length) {
      checkRange(offset, length, bytes.length, file);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** An open file, read in place. Whoever opens it closes it. */
export class FileSource implements ByteSource, Disposable {
  readonly file: string;
  readonly size: number;
  readonly #fd: number;

  /** @throws {UsherdError} FILE_UNREADABLE, MODULE_FILE_TOO_LARGE */
  constructor(file: string) {
    this.file = file;
    try {
      this.#fd = openSync(file, 'r');
    } catch (error) {
      throw new UsherdError(
        'FILE_UNREADABLE',
        `${file}: cannot be opened: ${(error as Error).message}`,
        { file, errno: (error as NodeJS.ErrnoException).code },
        error,
      );
    }
    const stats = fstatSync(this.#fd);
    this.size = stats.size;
    if (stats.isFile() && stats.size <= MODULE_FILE_MAX_BYTES) return;
    closeSync(this.#fd);
    if (!stats.isFile())
      throw new UsherdError('FILE_UNREADABLE', `${file}: found a folder or device, wanted a file`, { file });
    throw new UsherdError(
      'MODULE_FILE_TOO_LARGE',
      `${file}: has ${stats.size} bytes, a module has at most ${MODULE_FILE_MAX_BYTES}`,
      { file, size: stats.size },
    );
  }

  read(offset: number, length: number): Buffer {
    checkRange(offset, length, this.size, this.file);
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.#fd, bytes, done, length - done, offset + done);
      // The file has become shorter since it was opened.
      if (count === 0) throw truncated(this.file, offset, length, offset + done);
      done += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function checkRange(offset: number, length: number, size: number, file: string): void {
  const isWithin =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    length <= size - offset;
  if (!isWithin) throw truncated(file, offset, length, size);
}

function truncated(file: string, offset: number, length: number, size: number): UsherdError {
  return new UsherdError(
    'MODULE_FILE_DAMAGED',
    `${file}+0x${Math.max(0, offset).toString(16)}: wanted ${length} bytes, the file ends at ${size}`,
    { file, offset, length, size },
  );
}
