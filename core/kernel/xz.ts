import { errnoName } from '../vocabulary/errno.ts';
import { native, type XzRefusal } from './native.ts';

/** Decoded bytes, or why there are none. The decoder itself may take 128 MiB, which is twice what `xz -9` needs. */
export type XzAnswer =
  | { readonly kind: 'decoded'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly reason: XzRefusal };

/** One xz stream → its content of at most `maxBytes`. Blocks for about 10 ms per megabyte of content. Source: liblzma. */
export function decodeXz(bytes: Uint8Array, maxBytes: number): XzAnswer {
  return answerOf(native().xzDecode(bytes, maxBytes));
}

/** The same on a thread of its own, for whoever has other things to do meanwhile. */
export async function decodeXzAside(bytes: Uint8Array, maxBytes: number): Promise<XzAnswer> {
  const answer = await native().xzDecodeAside(bytes, maxBytes);
  if (typeof answer !== 'number') return answerOf(answer);
  // No thread to be had: the event loop does it.
  return errnoName(-answer) === 'EAGAIN' ? decodeXz(bytes, maxBytes) : { kind: 'refused', reason: 'out-of-memory' };
}

function answerOf(answer: Buffer | XzRefusal): XzAnswer {
  return typeof answer === 'string' ? { kind: 'refused', reason: answer } : { kind: 'decoded', bytes: answer };
}
