import { displayWidth, padDisplay } from './display-width.ts';
import { formatNumber } from './quantity.ts';
import { escapeForTerminal, type Terminal } from './terminal.ts';

/** Bars are so long where nobody says how wide the terminal is. */
const PLAIN_BAR_WIDTH = 40;
const SHORTEST_BAR_WIDTH = 8;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const SPARKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_SPARKS = ['_', '.', '-', '~', '=', '+', '*', '#'];

export interface Bar {
  readonly label: string;
  readonly count: number;
}

/** Counts → a line each: label, count, and a bar as long as the count is beside the greatest. */
export function formatBars(bars: readonly Bar[], { isUtf8, width }: Terminal): string[] {
  const labels = bars.map(({ label }) => escapeForTerminal(label));
  const counts = bars.map(({ count }) => formatNumber(count));
  const labelWidth = Math.max(0, ...labels.map(displayWidth));
  const countWidth = Math.max(0, ...counts.map(text => text.length));
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const room = width === undefined ? PLAIN_BAR_WIDTH : width - labelWidth - countWidth - 4;
  const barWidth = Math.max(SHORTEST_BAR_WIDTH, Math.min(PLAIN_BAR_WIDTH, room));
  return bars.map(({ count }, n) => {
    const eighths = Math.round((count / most) * barWidth * 8);
    const bar = isUtf8 ? '█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '') : '#'.repeat(Math.round(eighths / 8));
    return `${padDisplay(labels[n] ?? '', labelWidth)}  ${(counts[n] ?? '').padStart(countWidth)}  ${bar}`.trimEnd();
  });
}

/** Counts over time → one line, a sign each, high where there are many; nothing at all is a blank. */
export function sparkLine(counts: readonly number[], { isUtf8 }: Terminal): string {
  const most = Math.max(1, ...counts);
  const signs = isUtf8 ? SPARKS : ASCII_SPARKS;
  return counts
    .map(count => (count === 0 ? ' ' : (signs[Math.min(7, Math.floor((count / most) * 7.999))] ?? '')))
    .join('');
}
