import { crc32 } from 'node:zlib';
import type { PackedFile } from '../kmod/ko/compression.ts';
import { native, type XzRefusal } from './native.ts';

/** Decoded bytes, or why there are none. The decoder itself may take 128 MiB, which is twice what `xz -9` needs. */
export type XzAnswer =
  | { readonly kind: 'decoded'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly reason: XzRefusal };

/** One xz stream → its content of at most `maxBytes`. Blocks for about 10 ms per megabyte of content. Source: liblzma. */
export function decodeXz(bytes: Uint8Array, maxBytes: number): XzAnswer {
  return answerOf(native().xzDecode(bytes, maxBytes));
}

/** The same of a file of `size` bytes, read on a thread of its own, for whoever has other things to do meanwhile. */
export async function decodeXzFile({ file, size }: PackedFile, maxBytes: number): Promise<XzAnswer> {
  const answer = await native().xzDecodeFile(file, size, maxBytes);
  // A number is that no thread was to be had.
  if (typeof answer === 'number') return { kind: 'refused', reason: 'out-of-memory' };
  if (typeof answer === 'string') return { kind: 'refused', reason: answer };
  const isSound = answer.crc32 === undefined || answer.crc32 === crc32(answer.bytes);
  return isSound ? { kind: 'decoded', bytes: answer.bytes } : { kind: 'refused', reason: 'damaged' };
}

/** Takes decoded bytes away from whoever has them: their memory is for the next file, at once. */
export function giveBackXz(bytes: Buffer): void {
  native().xzGiveBack(bytes);
}

function answerOf(answer: Buffer | XzRefusal): XzAnswer {
  return typeof answer === 'string' ? { kind: 'refused', reason: answer } : { kind: 'decoded', bytes: answer };
}
