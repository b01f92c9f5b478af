import type { Problem } from '../../vocabulary/place.ts';

/** What a reader of one of depmod's text files made of it: its values, and the lines it left out. */
export interface MapFile<Entry> {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

/**
 * Lines of a text, one after another, without their newline, with their number from 1. Empty lines and lines that begin with `#`
 * are passed over; the text after the last newline counts as a line.
 */
export function* textLines(text: string): Generator<{ readonly line: string; readonly number: number }> {
  let start = 0;
  for (let number = 1; start < text.length; number++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (end > start && text.charCodeAt(start) !== 0x23) yield { line: text.slice(start, end), number };
    start = end + 1;
  }
}

/** Reads each line with `parse`; a line it makes nothing of becomes a problem that says what was wanted. */
export function parseLines<Entry>(
  text: string,
  file: string,
  wanted: string,
  parse: (line: string, number: number) => Entry | undefined,
): MapFile<Entry> {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  for (const { line, number } of textLines(text)) {
    const entry = parse(line, number);
    if (entry !== undefined) entries.push(entry);
    else problems.push({ place: { file, line: number }, message: `found "${excerpt(line)}", wanted ${wanted}` });
  }
  return { entries, problems };
}

/** Longest piece of a foreign line a message repeats, in characters. */
const EXCERPT_MAX = 80;

/** The beginning of a line, for a message. */
export function excerpt(line: string): string {
  return line.length <= EXCERPT_MAX ? line : `${line.slice(0, EXCERPT_MAX)}…`;
}
