const STAR = 0x2a;
const ANY = 0x3f;

/** A stretch of a block of texts, one character a byte. */
export function bytesToText(block: Uint8Array, from: number, to: number): string {
  return Buffer.from(block.buffer, block.byteOffset, block.byteLength).toString('latin1', from, to);
}

/**
 * Whether the characters [from, length) match the tail [start, tailEnd) of a block of texts, directly before which a star stands.
 * A tail has ordinary characters, `*` and `?`. On a mismatch only the last star eats one more, so time is at most length × length.
 */
export function tailMatches(
  block: Uint8Array,
  start: number,
  tailEnd: number,
  characters: Uint16Array,
  from: number,
  length: number,
): boolean {
  let afterStar = start;
  let starAte = from;
  let tail = start;
  let at = from;
  for (;;) {
    if (tail === tailEnd) {
      if (at === length || afterStar === tailEnd) return true;
    } else {
      const code = block[tail];
      if (code === STAR) {
        afterStar = ++tail;
        starAte = at;
        continue;
      }
      if (at < length && (code === ANY || code === characters[at])) {
        tail++;
        at++;
        continue;
      }
    }
    if (starAte >= length) return false;
    tail = afterStar;
    at = ++starAte;
  }
}
