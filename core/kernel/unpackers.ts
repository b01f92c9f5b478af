import os from 'node:os';
import { UsherdError } from '../errors.ts';
import type { AsideUnpacking } from '../kmod/depmod/read-facts.ts';
import {
  type AsideDecompressors,
  asideDecompressors,
  decompressors,
  type Decompressors,
} from '../kmod/ko/compression.ts';
import { decodeXz, decodeXzFile, giveBackXz, type XzAnswer } from './xz.ts';

/** What unpacks module files on this machine: Node's own gzip and zstd, and the system's liblzma for xz. */
export const UNPACKERS: Decompressors = decompressors((bytes, maxBytes) =>
  decoded(decodeXz(bytes, maxBytes), maxBytes),
);

/** The same, each call on another thread. */
export const UNPACKERS_ASIDE: AsideDecompressors = asideDecompressors(async (packed, maxBytes) => {
  const bytes = decoded(await decodeXzFile(packed, maxBytes), maxBytes);
  return { bytes, [Symbol.dispose]: () => giveBackXz(bytes) };
});

/** How a whole tree is unpacked: as many files at once as there are processors; one waits for its facts to be taken, and one for a processor. */
export const TREE_UNPACKING: AsideUnpacking = { unpackers: UNPACKERS_ASIDE, lanes: os.availableParallelism() + 2 };

/** @throws {UsherdError} COMPRESSION_UNAVAILABLE, MODULE_FILE_TOO_LARGE, MODULE_FILE_DAMAGED */
function decoded(answer: XzAnswer, maxBytes: number): Buffer {
  if (answer.kind === 'decoded') return answer.bytes;
  switch (answer.reason) {
    case 'no-library':
      throw new UsherdError(
        'COMPRESSION_UNAVAILABLE',
        'an .xz module needs liblzma.so.5, which is not on this machine',
      );
    case 'too-large':
      throw new UsherdError('MODULE_FILE_TOO_LARGE', `the xz data expands to more than ${maxBytes} bytes`, {
        maxBytes,
      });
    default:
      throw new UsherdError('MODULE_FILE_DAMAGED', `the xz data cannot be read: ${answer.reason}`, {
        reason: answer.reason,
      });
  }
}
