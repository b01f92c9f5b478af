import * as fc from 'fast-check';

/** One way of damaging a file: bytes that are others, a piece that is gone or there twice, an end that is missing. */
type Damage =
  | { readonly kind: 'bytes'; readonly changes: readonly (readonly [place: number, byte: number])[] }
  | { readonly kind: 'without' | 'twice'; readonly place: number; readonly length: number }
  | { readonly kind: 'cut'; readonly place: number };

/** Most bytes of a piece that goes or is doubled: more than a header, less than what would only be a cut. */
const PIECE_MAX_BYTES = 256;

/** Bytes that lengths, offsets and kinds are likely to be upset by. */
const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
/** Where: 0 is the first byte, 1 the end; headers stand at either end, so those are aimed at more often. */
const place = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 0.01, noNaN: true }),
  fc.double({ min: 0.98, max: 1, noNaN: true }),
);

export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    kind: fc.constant('bytes' as const),
    changes: fc.array(fc.tuple(place, byte), { minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constantFrom('without' as const, 'twice' as const),
    place,
    length: fc.integer({ min: 1, max: PIECE_MAX_BYTES }),
  }),
  fc.record({ kind: fc.constant('cut' as const), place }),
);

/** A file and its damage → the file as it then is; the one that was given stays as it was. */
export function damaged(whole: Buffer, how: Damage): Buffer {
  const at = (where: number): number => Math.min(whole.length - 1, Math.floor(where * whole.length));
  switch (how.kind) {
    case 'bytes': {
      const bytes = Buffer.from(whole);
      for (const [where, value] of how.changes) bytes[at(where)] = value;
      return bytes;
    }
    case 'cut':
      return whole.subarray(0, at(how.place));
    default: {
      const from = at(how.place);
      const piece = whole.subarray(from, from + how.length);
      const rest = whole.subarray(from + how.length);
      return Buffer.concat([whole.subarray(0, from), ...(how.kind === 'twice' ? [piece, piece] : []), rest]);
    }
  }
}
