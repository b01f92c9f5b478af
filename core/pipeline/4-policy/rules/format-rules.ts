import { lexRule, type RulePair } from './lex-rule.ts';
import { logicalLines, placeInLine } from './logical-line.ts';

/** What a line that goes on begins with. */
const INDENT = '  ';

/**
 * Text of a rule file → the same rules, written evenly: `KEY{attribute}=="value"` with one comma and one blank between, no blanks around
 * operators or at ends of lines. Lines stay where they were broken, comments and empty lines stay; what cannot be read stays as it is.
 * Formatting twice is formatting once.
 */
export function formatRules(text: string): string {
  const lines = text.split(/\r?\n/);
  const formatted: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const first = lines[at] ?? '';
    if (first.trim() === '' || first.trimStart().startsWith('#')) {
      formatted.push(first.trim());
      continue;
    }
    const from = at;
    while ((lines[at]?.endsWith('\\') === true || isInside(lines, from, at)) && at + 1 < lines.length) at++;
    formatted.push(...formatRule(lines.slice(from, at + 1)));
  }
  while (formatted.at(-1) === '') formatted.pop();
  return formatted.length === 0 ? '' : `${formatted.join('\n')}\n`;
}

/** A comment between lines that belong together. */
function isInside(lines: readonly string[], from: number, at: number): boolean {
  return at > from && lines[at]?.trimStart().startsWith('#') === true;
}

function formatRule(raw: readonly string[]): readonly string[] {
  const [line, ...others] = logicalLines(raw.join('\n'));
  const hasComment = raw.some(each => each.trimStart().startsWith('#'));
  if (line === undefined || others.length > 0 || line.isTooLong || line.isCutOff || hasComment) return raw;
  const { pairs, failure } = lexRule(line.text);
  if (failure !== undefined || pairs.length === 0) return raw;
  const rows: string[][] = [];
  let lastLine = -1;
  for (const pair of pairs) {
    const { line: number } = placeInLine(line, pair.offset);
    if (number === lastLine) rows.at(-1)?.push(written(pair));
    else rows.push([written(pair)]);
    lastLine = number;
  }
  return rows.map((row, n) => `${n === 0 ? '' : INDENT}${row.join(', ')}${n < rows.length - 1 ? ', \\' : ''}`);
}

function written({ key, attribute, operator, literal }: RulePair): string {
  return `${key}${attribute === undefined ? '' : `{${attribute}}`}${operator}${literal}`;
}
