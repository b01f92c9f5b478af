import { UsherdError } from '../../errors.ts';

const MAGIC = 0x184d2204;
const MAGIC_BYTES = 4;
/** Most bytes a back reference reaches. Source: lz4_Block_format.md, end of a sequence: the offset has two bytes. */
const WINDOW_BYTES = 65_536;
/** Sizes of blocks by the number in the frame's BD byte. Source: lz4_Frame_format.md, "Block Maximum Size". */
const BLOCK_MAX_BYTES: Readonly<Record<number, number>> = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 };

/** Whether bytes begin as a frame of lz4 does. */
export function isLz4(head: Buffer): boolean {
  return head.length >= MAGIC_BYTES && head.readUInt32LE(0) === MAGIC;
}

/**
 * A frame of lz4 → its content, a block at a time, as views that hold until the next one is asked for. apt packs its lists so where
 * they are kept compressed. Checksums are passed over: apt has compared the list's hash with the signed one.
 * Shape: u32 magic | FLG BD [u64 size] [u32 dictionary] HC | blocks: u32 length (bit 31: as it is), bytes, [u32 checksum] | u32 0.
 * Source: lz4_Frame_format.md, lz4_Block_format.md.
 * @throws {UsherdError} INDEX_FILE_DAMAGED, with the offset in the packed file
 */
export function* decodeLz4(packed: Buffer, file: string): Generator<Buffer> {
  const damaged = (offset: number, what: string): UsherdError =>
    new UsherdError('INDEX_FILE_DAMAGED', `${file}+0x${offset.toString(16)}: ${what}`, { file, offset });
  if (!isLz4(packed) || packed.length < 7) throw damaged(0, 'it does not begin as a frame of lz4 does');
  const flags = packed[4] ?? 0;
  const blockMax = BLOCK_MAX_BYTES[((packed[5] ?? 0) >> 4) & 7];
  if (flags >> 6 !== 1 || blockMax === undefined) throw damaged(4, 'a frame of a version this reader does not know');
  if ((flags & 1) !== 0) throw damaged(4, 'it needs a dictionary, which nothing here has');
  let at = MAGIC_BYTES + 2 + ((flags & 8) === 0 ? 0 : 8) + 1;
  // What the block before ended with stands in front, since references reach back into it.
  const room = Buffer.alloc(WINDOW_BYTES + blockMax);
  let kept = 0;
  for (;;) {
    if (at + 4 > packed.length) throw damaged(at, 'it ends before its end mark: it was cut off');
    const word = packed.readUInt32LE(at);
    at += 4;
    if (word === 0) return;
    const length = word & 0x7fff_ffff;
    if (length > blockMax || at + length > packed.length) throw damaged(at, `a block of ${length} bytes is cut off`);
    let end = kept;
    if (word >>> 31 === 1) end += packed.copy(room, kept, at, at + length);
    else end = decodeBlock(packed, at, at + length, room, kept);
    if (end < 0) throw damaged(at, 'a block that refers to what is not there, or holds more than it may');
    yield room.subarray(kept, end);
    at += length + ((flags & 16) === 0 ? 0 : 4);
    const keep = Math.min(end, WINDOW_BYTES);
    room.copyWithin(0, end - keep, end);
    kept = keep;
  }
}

/** Bytes of one block → where its content ends in `out`, or -1 when it is not sound. */
function decodeBlock(from: Buffer, start: number, end: number, out: Buffer, outStart: number): number {
  let at = start;
  let o = outStart;
  while (at < end) {
    const token = from[at++] ?? 0;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at >= end) return -1;
        more = from[at++] ?? 0;
        literals += more;
      } while (more === 255);
    }
    if (at + literals > end || o + literals > out.length) return -1;
    if (literals > 0) from.copy(out, o, at, at + literals);
    at += literals;
    o += literals;
    if (at === end) return o; // The last sequence has no reference.
    if (at + 2 > end) return -1;
    const offset = (from[at] ?? 0) | ((from[at + 1] ?? 0) << 8);
    at += 2;
    let length = (token & 15) + 4;
    if ((token & 15) === 15) {
      let more: number;
      do {
        if (at >= end) return -1;
        more = from[at++] ?? 0;
        length += more;
      } while (more === 255);
    }
    if (offset === 0 || offset > o || o + length > out.length) return -1;
    if (offset >= length) out.copyWithin(o, o - offset, o - offset + length);
    else for (let n = 0; n < length; n++) out[o + n] = out[o + n - offset] ?? 0;
    o += length;
  }
  return o;
}
