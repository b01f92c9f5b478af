import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { UsherdError } from '../errors.ts';
import { decodeXz } from './xz.ts';

/** Ways a module file may be compressed, as the kernel names them in /sys/module/compression. */
export type Compression = 'gzip' | 'xz' | 'zstd';

/** Compressed bytes and a bound → what is in them. @throws {UsherdError} MODULE_FILE_DAMAGED, COMPRESSION_UNAVAILABLE */
export type Decompress = (bytes: Buffer, maxBytes: number) => Buffer;

export const DECOMPRESSORS: Readonly<Record<Compression, Decompress>> = {
  gzip: (bytes, maxBytes) => guarded('gzip', () => gunzipSync(bytes, { maxOutputLength: maxBytes })),
  zstd: (bytes, maxBytes) => guarded('zstd', () => zstdDecompressSync(bytes, { maxOutputLength: maxBytes })),
  xz: (bytes, maxBytes) => {
    const answer = decodeXz(bytes, maxBytes);
    if (answer.kind === 'decoded') return answer.bytes;
    const code = answer.reason === 'no-library' ? 'COMPRESSION_UNAVAILABLE' : 'MODULE_FILE_DAMAGED';
    throw new UsherdError(code, `xz: ${answer.reason}`, { reason: answer.reason });
  },
};

function guarded(name: Compression, decode: () => Buffer): Buffer {
  try {
    return decode();
  } catch (error) {
    throw new UsherdError('MODULE_FILE_DAMAGED', `${name}: ${(error as Error).message}`, { compression: name }, error);
  }
}
