import type { Problem } from '../../vocabulary/place.ts';

/** Largest section of an index that is looked at, in bytes: the longest real one, with a graphics driver's aliases, has some 200 kB. */
export const SECTION_MAX_BYTES = 4 * 1024 * 1024;

const LF = 0x0a;

/** One part of an index between two separators, and the number of its first line. */
export interface Section {
  readonly bytes: Buffer;
  readonly line: number;
}

/**
 * Chunks of a text → its sections, those alone that hold one of `needles`. `separator` ends a section and begins with a line's end:
 * `\n\n` between stanzas of deb822(5), `\n---\n` between documents of YAML. One that is too long is a problem, and left out. Linear.
 */
export async function* sectionsWith(
  chunks: AsyncIterable<Buffer>,
  {
    separator,
    needles,
    file,
    problems,
  }: {
    readonly separator: string;
    readonly needles: readonly string[];
    readonly file: string;
    readonly problems: Problem[];
  },
): AsyncGenerator<Section> {
  const end = Buffer.from(separator);
  const wanted = needles.map(needle => Buffer.from(needle));
  let held = Buffer.alloc(0);
  let line = 1;
  let isSkipping = false;
  for await (const chunk of chunks) {
    // Sections span chunks, and a chunk is only lent.
    const text = Buffer.concat([held, chunk]);
    const last = text.lastIndexOf(end);
    const cut = last < 0 ? 0 : last + end.length;
    if (cut > 0) {
      if (!isSkipping) yield* sectionsIn(text.subarray(0, cut), line, end, wanted);
      else {
        const next = text.indexOf(end) + end.length;
        yield* sectionsIn(text.subarray(next, cut), line + countLines(text.subarray(0, next)), end, wanted);
      }
      isSkipping = false;
      line += countLines(text.subarray(0, cut));
    }
    held = text.subarray(cut);
    if (held.length > SECTION_MAX_BYTES) {
      if (!isSkipping)
        problems.push({
          place: { file, line },
          message: `an entry of more than ${SECTION_MAX_BYTES} bytes; it is left out`,
        });
      isSkipping = true;
      line += countLines(held.subarray(0, held.length - end.length));
      held = held.subarray(held.length - end.length);
    }
  }
  if (!isSkipping) yield* sectionsIn(held, line, end, wanted);
}

function* sectionsIn(text: Buffer, firstLine: number, end: Buffer, wanted: readonly Buffer[]): Generator<Section> {
  // Where each of them comes next; looked for again only once that is passed, so that all stays linear.
  const next = wanted.map(needle => text.indexOf(needle));
  let line = firstLine;
  let counted = 0;
  for (let from = 0; from < text.length;) {
    let hit = -1;
    for (const [n, needle] of wanted.entries()) {
      let at = next[n] ?? -1;
      if (at >= 0 && at < from) next[n] = at = text.indexOf(needle, from);
      if (at >= 0 && (hit < 0 || at < hit)) hit = at;
    }
    if (hit < 0) return;
    const before = text.lastIndexOf(end, hit);
    const start = before < from ? from : before + end.length;
    const after = text.indexOf(end, hit);
    // The line's end that the separator begins with is the section's own.
    const stop = after < 0 ? text.length : after + 1;
    line += countLines(text.subarray(counted, start));
    counted = start;
    yield { bytes: text.subarray(start, stop), line };
    if (after < 0) return;
    from = after + end.length;
  }
}

function countLines(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(LF); at >= 0; at = text.indexOf(LF, at + 1)) count += 1;
  return count;
}
