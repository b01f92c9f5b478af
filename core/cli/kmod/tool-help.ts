import type { OptionRow } from './getopt.ts';
import type { KmodTool } from './tool.ts';

/** Room between the longest option and what is said of it. */
const GAP = 2;
/** Beyond this width of its options column an option's text begins on a line of its own. */
const COLUMN_MAX = 26;

/** A tool → what its --help prints. */
export function helpText({ usage, groups, epilogue = '' }: KmodTool): string {
  const lines = ['Usage:', ...usage.map(line => `\t${line}`)];
  const shown = groups.map(({ title, rows }) => ({ title, rows: rows.filter(({ isHidden }) => isHidden !== true) }));
  const widths = shown.flatMap(({ rows }) => rows.map(row => label(row).length));
  const column = Math.min(COLUMN_MAX, Math.max(0, ...widths)) + GAP;
  for (const { title, rows } of shown) {
    lines.push('', `${title}:`);
    for (const row of rows) lines.push(...rowLines(row, column));
  }
  return `${lines.join('\n')}\n${epilogue}`;
}

function rowLines(row: OptionRow, column: number): readonly string[] {
  const first = label(row);
  if (first.length + GAP <= column) return [`\t${first.padEnd(column)}${row.help}`];
  return [`\t${first}`, `\t${''.padEnd(column)}${row.help}`];
}

function label({ short, long, value }: OptionRow): string {
  const letter = short === undefined ? '    ' : `-${short}, `;
  const names = long.map(name => `--${name}`).join(', ');
  return `${letter}${names}${value === undefined ? '' : `=${value}`}`;
}
