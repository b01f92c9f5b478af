const STAR = 0x2a;
const ANY = 0x3f;

/** A stretch of a block of texts, one character a byte. */
export function bytesToText(block: Uint8Array, from: number, to: number): string {
  return Buffer.from(block.buffer, block.byteOffset, block.byteLength).toString('latin1', from, to);
}

/**
 * Whether the characters [from, length) match the tail [start, tailEnd) of a block of texts, directly before which a star stands.
 * A tail has ordinary characters, `*` and `?`. On a mismatch only the last star eats on, up to where the character behind it comes
 * again, so time is at most length × length.
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
  let at = from;
  for (;;) {
    while (afterStar < tailEnd && block[afterStar] === STAR) afterStar++;
    if (afterStar === tailEnd) return true;
    const first = block[afterStar] ?? 0;
    for (;;) {
      if (first !== ANY) while (at < length && characters[at] !== first) at++;
      if (at >= length) return false;
      // The character behind the star stands here: does all up to the next star?
      let tail = afterStar + 1;
      let position = at + 1;
      while (tail < tailEnd && position < length) {
        const code = block[tail] ?? 0;
        if (code === STAR || (code !== ANY && code !== characters[position])) break;
        tail++;
        position++;
      }
      if (tail === tailEnd ? position === length : block[tail] === STAR) {
        if (tail === tailEnd) return true;
        afterStar = tail + 1;
        at = position;
        break;
      }
      at++;
    }
  }
}
