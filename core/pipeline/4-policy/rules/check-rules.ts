import { hasWildcard } from '../../../kmod/lookup/glob.ts';
import { lexRule } from './lex-rule.ts';
import { logicalLines, placeInLine, type LogicalLine } from './logical-line.ts';
import { parseRules } from './parse-rules.ts';
import type { Rule, RuleProblem, RuleToken } from './rule.ts';

/** Text of a rule file → everything that is wrong with it, badly written or without effect, in order of place. */
export function checkRules(text: string, file: string): readonly RuleProblem[] {
  const { rules, problems } = parseRules(text, file);
  const all = [
    ...problems,
    ...lineProblems(text, file),
    ...logicalLines(text).flatMap(line => commaProblems(line, file)),
    ...labelProblems(rules),
    ...rules.flatMap(ruleProblems),
  ];
  return all.toSorted(
    (a, b) => (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0),
  );
}

/** A backslash goes on with the next line only when nothing stands behind it, and blanks cannot be seen. */
function lineProblems(text: string, file: string): RuleProblem[] {
  return text.split(/\r?\n/).flatMap((line, n): RuleProblem[] => {
    const written = line.trimEnd();
    if (line === written || !written.endsWith('\\') || written.trimStart().startsWith('#')) return [];
    const message = 'blanks behind the backslash: the rule ends here, and does not go on with the next line';
    return [{ severity: 'warning', place: { file, line: n + 1, column: written.length }, message, suggestion: '\\' }];
  });
}

/** Keys are read also without commas; with them they are seen to be several. */
function commaProblems(line: LogicalLine, file: string): RuleProblem[] {
  const { pairs, failure } = lexRule(line.text);
  const problems: RuleProblem[] = [];
  const style = (offset: number, message: string, suggestion: string): void => {
    problems.push({ severity: 'style', place: { file, ...placeInLine(line, offset) }, message, suggestion });
  };
  for (const [n, pair] of pairs.entries()) {
    const before = pairs[n - 1];
    const gap = line.text.slice(before?.end ?? 0, pair.offset);
    if (before === undefined) {
      if (gap.includes(',')) style(0, 'the rule begins with a comma', pair.key);
    } else if (!gap.includes(',')) style(before.end, `a comma is missing before ${pair.key}`, `, ${pair.key}`);
    else if (gap.indexOf(',') !== gap.lastIndexOf(',')) style(before.end, 'there is more than one comma', ', ');
    else if (/^\s+,/.test(gap)) style(before.end, 'there is a blank before the comma', ', ');
    else if (gap === ',') style(before.end, 'a blank is missing behind the comma', ', ');
  }
  const last = pairs.at(-1);
  if (failure === undefined && last !== undefined && line.text.slice(last.end).includes(',')) {
    style(last.end, 'the rule ends with a comma', '');
  }
  return problems;
}

function labelProblems(rules: readonly Rule[]): RuleProblem[] {
  const gotos = new Set(
    rules.flatMap(({ tokens }) => tokens.filter(({ key }) => key === 'GOTO').map(({ value }) => value)),
  );
  const unused = rules.flatMap(({ tokens }) => tokens.filter(({ key, value }) => key === 'LABEL' && !gotos.has(value)));
  return unused.map(({ place, value }) => ({
    severity: 'style',
    place,
    message: `no GOTO leads to the LABEL "${value}"`,
  }));
}

function isMatch({ operator }: RuleToken): boolean {
  return operator === '==' || operator === '!=';
}

function ruleProblems({ place, tokens }: Rule): RuleProblem[] {
  const problems: RuleProblem[] = [];
  const acts = tokens.some(token => !isMatch(token) || token.key === 'PROGRAM' || token.key === 'IMPORT');
  if (!acts) problems.push({ severity: 'warning', place, message: 'the rule only matches: it does nothing' });
  const verdict = tokens.find(({ key }) => key === 'VERDICT');
  if (verdict !== undefined && verdict.value !== 'allow' && !tokens.some(isMatch)) {
    const message = `VERDICT="${verdict.value}" without a match key is said of every module there is`;
    problems.push({ severity: 'warning', place: verdict.place, message });
  }
  if (
    tokens.some(({ key }) => key === 'REASON') &&
    verdict === undefined &&
    !tokens.some(token => token.key === 'MODULE' && !isMatch(token))
  ) {
    problems.push({ severity: 'warning', place, message: 'REASON belongs to a VERDICT or a MODULE= of the same rule' });
  }
  return [...problems, ...contradictions(tokens)];
}

/** Keys that have one value: two different ones cannot both be it. */
const SINGLE: ReadonlySet<string> = new Set([
  'ACTION',
  'DEVPATH',
  'KERNEL',
  'SUBSYSTEM',
  'DRIVER',
  'ATTR',
  'ENV',
  'MODULE',
  'ORIGIN',
]);

function contradictions(tokens: readonly RuleToken[]): RuleProblem[] {
  const wanted = new Map<string, string>();
  const problems: RuleProblem[] = [];
  for (const { key, attribute = '', operator, value, place, isCaseless } of tokens) {
    if (operator !== '==' || !SINGLE.has(key) || isCaseless || hasWildcard(value) || value.includes('|')) continue;
    const name = attribute === '' ? key : `${key}{${attribute}}`;
    const before = wanted.get(name);
    if (before !== undefined && before !== value) {
      const message = `${name} cannot be "${before}" and "${value}" at once: the rule never matches`;
      problems.push({ severity: 'warning', place, message, suggestion: `${name}=="${before}|${value}"` });
    }
    wanted.set(name, value);
  }
  return problems;
}
