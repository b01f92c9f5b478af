import { errnoName, type ErrnoName } from '../vocabulary/errno.ts';
import { native } from './native.ts';

/** Length and CRC-32 of a piece, 32 bits each, which go before it. */
export const PIECE_HEADER_BYTES = 8;

/**
 * Writes a piece of a file at `offsetBytes` in one call to the kernel: u32 length | u32 CRC-32 (IEEE 802.3, as zlib's) | payload,
 * little-endian → how many bytes that is, or why it was not written. Of one that was cut short a part may stand there, which is no piece.
 * @throws {UsherdError} NATIVE_MISSING
 */
export function writePiece(fd: number, offsetBytes: number, payload: Uint8Array): number | ErrnoName {
  const written = native().writePiece(fd, offsetBytes, payload);
  return written < 0 ? errnoName(-written) : written;
}
