import { displayWidth } from './display-width.ts';
import { escapeForTerminal, spanText, writeSpans, type Span, type Terminal } from './terminal.ts';

/** A line and what hangs below it. */
export interface Branch {
  readonly line: readonly Span[];
  readonly children?: readonly Branch[];
}

/** However deep a branch is, its text gets so many columns. */
const TEXT_MIN_WIDTH = 20;

const DRAWN = { fork: '├─ ', last: '└─ ', pass: '│  ', none: '   ' };
const ASCII = { fork: '|- ', last: '`- ', pass: '|  ', none: '   ' };

/** A tree → lines with box drawing, or ASCII where that cannot be shown. Long lines are broken between words, below their own text. */
export function formatTree(root: Branch, terminal: Terminal): string[] {
  return branchLines(root, '', '', terminal);
}

function branchLines({ line, children = [] }: Branch, first: string, rest: string, terminal: Terminal): string[] {
  const signs = terminal.isUtf8 ? DRAWN : ASCII;
  // A file or pipe has no width: lines stay whole, so that they can be searched.
  const width = Math.max(TEXT_MIN_WIDTH, (terminal.width ?? Number.POSITIVE_INFINITY) - rest.length);
  const trunk = children.length > 0 ? signs.pass : signs.none;
  const [head = [], ...tail] = wrapSpans(line, width, width - trunk.length);
  const own = [first + writeSpans(head, terminal), ...tail.map(more => rest + trunk + writeSpans(more, terminal))];
  const below = children.flatMap((child, n) => {
    const isLast = n === children.length - 1;
    const [fork, pass] = isLast ? [signs.last, signs.none] : [signs.fork, signs.pass];
    return branchLines(child, rest + fork, rest + pass, terminal);
  });
  return [...own, ...below];
}

/** Breaks spans between words into lines of `width`, then `restWidth`, columns. A word longer than that stays whole, so that it can be copied. */
function wrapSpans(spans: readonly Span[], width: number, restWidth: number): Span[][] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const piece of spans) {
    for (const word of spanText(piece).split(/(?<= )/)) {
      const room = lines.length === 1 ? width : restWidth;
      const wide = displayWidth(escapeForTerminal(word.trimEnd()));
      if (used > 0 && used + wide > room) {
        lines.push([]);
        used = 0;
      }
      lines.at(-1)?.push(typeof piece === 'string' ? word : { text: word, style: piece.style });
      used += displayWidth(escapeForTerminal(word));
    }
  }
  return lines.map(trimEnd);
}

function trimEnd(line: readonly Span[]): Span[] {
  const last = line.at(-1);
  if (last === undefined) return [];
  const text = spanText(last).trimEnd();
  return [...line.slice(0, -1), typeof last === 'string' ? text : { text, style: last.style }];
}
