import { UsherdError } from '../errors.ts';
import { decompressors, type Decompressors } from '../kmod/ko/compression.ts';
import { decodeXz } from './xz.ts';

/** What unpacks module files on this machine: Node's own gzip and zstd, and the system's liblzma for xz. */
export const UNPACKERS: Decompressors = decompressors((bytes, maxBytes) => {
  const answer = decodeXz(bytes, maxBytes);
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
});
