/** Ranges that take two columns: Unicode East Asian Width W and F, as far as names of devices need it. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe4f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

/** Columns that escaped text (terminal.ts) takes on a terminal. */
export function displayWidth(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the whole of ASCII is meant
  if (/^[\u0000-\u007f]*$/.test(text)) return text.length;
  let width = 0;
  for (const sign of text) width += signWidth(sign);
  return width;
}

/** Text with its middle left out when it is wider than `width`: both ends of a devpath say more than its middle. */
export function cutMiddle(text: string, width: number, ellipsis: string): string {
  if (displayWidth(text) <= width) return text;
  const signs = Array.from(text);
  const room = Math.max(0, width - displayWidth(ellipsis));
  const head = takeWidth(signs, Math.floor(room / 3));
  const tail = takeWidth(signs.toReversed(), room - displayWidth(head.join('')));
  return [...head, ellipsis, ...tail.toReversed()].join('');
}

/** Text filled up with blanks to `width` columns. */
export function padDisplay(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

function takeWidth(signs: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let left = width;
  for (const sign of signs) {
    left -= signWidth(sign);
    if (left < 0) break;
    taken.push(sign);
  }
  return taken;
}

function signWidth(sign: string): number {
  const code = sign.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  // V8 takes 0.1 ms to make this, and few texts come here.
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(sign)) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
