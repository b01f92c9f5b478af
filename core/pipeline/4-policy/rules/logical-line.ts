import { LINE_MAX_BYTES } from './language.ts';

/** Lines joined by backslashes at their ends, without comments; and where each piece came from. */
export interface LogicalLine {
  readonly text: string;
  /** Number of the first line. */
  readonly line: number;
  /** Pieces in order: from this offset in `text` on, it is line `line` from column `column` on. */
  readonly pieces: readonly { readonly offset: number; readonly line: number; readonly column: number }[];
  /** Longer than what is read of one. */
  readonly isTooLong: boolean;
  /** The file ended while a backslash promised more. */
  readonly isCutOff: boolean;
}

interface Open {
  text: string;
  line: number;
  pieces: { offset: number; line: number; column: number }[];
  isTooLong: boolean;
}

/**
 * Text of a rule file → its logical lines. A line whose last character is a backslash goes on with the next; blanks at the beginning of
 * each are left out; a line that begins with `#` is left out, also between two that belong together.
 * Source: systemd, udev-rules.c, as udev(7) does not say it.
 */
export function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let open: Open | undefined;
  let number = 0;
  for (const raw of text.split(/\r?\n|\0/)) {
    number += 1;
    const start = raw.length - raw.trimStart().length;
    if (raw.charCodeAt(start) === 0x23) continue;
    const goesOn = raw.endsWith('\\') && raw.length > start;
    const part = raw.slice(start, goesOn ? -1 : undefined);
    if (open === undefined && part === '' && !goesOn) continue;
    open ??= { text: '', line: number, pieces: [], isTooLong: false };
    // A line that is too long is read to its end, so that its rest is not taken for a rule, but not kept.
    if (open.text.length + part.length > LINE_MAX_BYTES) open.isTooLong = true;
    else {
      open.pieces.push({ offset: open.text.length, line: number, column: start + 1 });
      open.text += part;
    }
    if (goesOn) continue;
    if (open.text !== '' || open.isTooLong) lines.push({ ...open, isCutOff: false });
    open = undefined;
  }
  if (open !== undefined && open.text !== '') lines.push({ ...open, isCutOff: true });
  return lines;
}

/** Where an offset of a logical line stands in the file. */
export function placeInLine({ pieces, line }: LogicalLine, offset: number): { line: number; column: number } {
  const piece = pieces.findLast(candidate => candidate.offset <= offset);
  return piece === undefined ? { line, column: 1 } : { line: piece.line, column: piece.column + offset - piece.offset };
}
