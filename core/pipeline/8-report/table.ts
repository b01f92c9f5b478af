import { cutMiddle, displayWidth, padDisplay } from './display-width.ts';
import { escapeForTerminal, spanText, writeSpans, type Span, type Terminal } from './terminal.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be cut in the middle when the terminal is narrow; the others never are. */
  readonly canShrink?: boolean;
}

/** A column that shrinks keeps so many columns, or the table says nothing any more. */
const SHRUNK_MIN_WIDTH = 12;
const GAP = '  ';

/** Titles and rows → lines; columns are as wide as their widest cell, and cut to the terminal's width where they may be. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Span[])[],
  terminal: Terminal,
): string[] {
  const texts = rows.map(row => row.map(cell => escapeForTerminal(spanText(cell))));
  const wanted = columns.map(({ title }, n) =>
    Math.max(displayWidth(title), ...texts.map(row => displayWidth(row[n] ?? ''))),
  );
  const widths = fitWidths(columns, wanted, terminal.width);
  const ellipsis = terminal.isUtf8 ? '…' : '...';
  const line = (cells: readonly Span[]): string =>
    columns
      .map(({ align }, n) => {
        const cell = cells[n] ?? '';
        const width = widths[n] ?? 0;
        const cut = cutMiddle(escapeForTerminal(spanText(cell)), width, ellipsis);
        const isLast = n === columns.length - 1 && align !== 'right';
        const text = isLast ? cut : padDisplay(cut, width, align);
        return typeof cell === 'string' ? text : writeSpans([{ text, style: cell.style }], terminal);
      })
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => ({ text: title, style: 'title' as const }))), ...rows.map(line)];
}

function fitWidths(columns: readonly Column[], wanted: readonly number[], width: number | undefined): number[] {
  const widths = [...wanted];
  if (width === undefined) return widths;
  const total = (): number => widths.reduce((sum, each) => sum + each, GAP.length * (columns.length - 1));
  while (total() > width) {
    const widest = columns.reduce(
      (best, { canShrink }, n) => (canShrink && (widths[n] ?? 0) > (widths[best] ?? 0) ? n : best),
      columns.findIndex(({ canShrink }) => canShrink),
    );
    const current = widths[widest];
    if (current === undefined || current <= SHRUNK_MIN_WIDTH) break;
    widths[widest] = current - 1;
  }
  return widths;
}
