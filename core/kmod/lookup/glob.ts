const STAR = 0x2a;
const ANY = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const ESCAPE = 0x5c;
const DASH = 0x2d;

/** Whether a text has a character with a meaning of its own in a pattern, so that it may match something other than itself. */
export function hasWildcard(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/**
 * Whether `text` from `textStart` on is matched by `pattern` from `patternStart` on: fnmatch(3) with flags 0 in the C locale.
 * `*` any text, slashes and leading dots too; `?` one character; `[a-c]`, `[!x]`, `[^x]` one of a set; `\` takes the next
 * character as it is; a `[` that is never closed is itself. Time is at most length × length: on a mismatch only the last star
 * eats one more character.
 */
export function globMatches(pattern: string, text: string, patternStart = 0, textStart = 0): boolean {
  let p = patternStart;
  let t = textStart;
  let afterStar = -1;
  let starAte = 0;
  for (;;) {
    if (p < pattern.length && pattern.charCodeAt(p) === STAR) {
      afterStar = ++p;
      starAte = t;
      continue;
    }
    if (p === pattern.length) {
      if (t === text.length || afterStar === pattern.length) return true;
    } else if (t < text.length) {
      const next = matchOne(pattern, p, text.charCodeAt(t));
      if (next >= 0) {
        p = next;
        t++;
        continue;
      }
    }
    if (afterStar < 0 || starAte >= text.length) return false;
    starAte++;
    // Up to where an ordinary character behind the star comes again, there is nothing to try.
    if (!isSpecial(pattern.charCodeAt(afterStar))) starAte = text.indexOf(pattern.charAt(afterStar), starAte);
    if (starAte < 0) return false;
    p = afterStar;
    t = starAte;
  }
}

function isSpecial(code: number): boolean {
  return code === STAR || code === ANY || code === OPEN || code === ESCAPE;
}

/** One element of a pattern (not a star) against one character → where the next element begins, or -1 when it does not match. */
export function matchOne(pattern: string, p: number, code: number): number {
  const own = pattern.charCodeAt(p);
  if (own === ANY) return p + 1;
  if (own === ESCAPE) {
    // A pattern that ends in a backslash matches nothing, as in glibc.
    return p + 1 < pattern.length && pattern.charCodeAt(p + 1) === code ? p + 2 : -1;
  }
  if (own === OPEN) {
    const end = setEnd(pattern, p);
    if (end >= 0) return setHas(pattern, p, end, code) ? end + 1 : -1;
  }
  return own === code ? p + 1 : -1;
}

/** Position of the `]` that closes the set opened at `open`, or -1. A `]` that comes first is a member; `\` takes the next. */
export function setEnd(pattern: string, open: number): number {
  let p = open + 1;
  const negation = pattern.charCodeAt(p);
  if (negation === 0x21 || negation === 0x5e) p++;
  for (let first = true; p < pattern.length; p++, first = false) {
    const code = pattern.charCodeAt(p);
    if (code === CLOSE && !first) return p;
    if (code === ESCAPE) p++;
  }
  return -1;
}

/** Whether the set between `open` and `end` (its brackets) takes this character. */
export function setHas(pattern: string, open: number, end: number, code: number): boolean {
  let p = open + 1;
  const negation = pattern.charCodeAt(p);
  const isNegated = negation === 0x21 || negation === 0x5e;
  if (isNegated) p++;
  let found = false;
  while (p < end) {
    if (pattern.charCodeAt(p) === ESCAPE) p++;
    const low = pattern.charCodeAt(p++);
    let high = low;
    if (p + 1 < end && pattern.charCodeAt(p) === DASH) {
      p++;
      if (pattern.charCodeAt(p) === ESCAPE) p++;
      high = pattern.charCodeAt(p++);
    }
    if (code >= low && code <= high) found = true;
  }
  return found !== isNegated;
}
