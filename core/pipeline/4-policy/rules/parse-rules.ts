import type { Place } from '../../../vocabulary/place.ts';
import { checkPair } from './check-token.ts';
import { keySpec, LINE_MAX_BYTES, type Operator } from './language.ts';
import { lexRule, type RulePair } from './lex-rule.ts';
import { logicalLines, placeInLine, type LogicalLine } from './logical-line.ts';
import { wordOf, type ParsedRules, type Rule, type RuleProblem, type RuleToken } from './rule.ts';

/**
 * Text of a rule file → its rules, and everything that is wrong with it. A rule with an error in it is left out whole; all others are
 * read. A GOTO that leads nowhere is left out of its rule. Never throws.
 * Source: udev(7).
 */
export function parseRules(text: string, file: string): ParsedRules {
  const problems: RuleProblem[] = [];
  const rules: Rule[] = [];
  for (const line of logicalLines(text)) {
    const rule = parseLine(line, file, problems);
    if (rule !== undefined) rules.push(rule);
  }
  return { file, rules: withoutLostGotos(rules, problems), problems: problems.toSorted(byPlace) };
}

function parseLine(line: LogicalLine, file: string, problems: RuleProblem[]): Rule | undefined {
  const at = (offset: number): Place => ({ file, ...placeInLine(line, offset) });
  const fail = (place: Place, message: string, suggestion?: string): undefined => {
    const hint = suggestion === undefined ? {} : { suggestion };
    problems.push({ severity: 'error', place, message: `${message}; the rule is left out`, ...hint });
  };
  if (line.isTooLong) return fail({ file, line: line.line }, `the line is longer than ${LINE_MAX_BYTES} bytes`);
  if (line.isCutOff) return fail(at(line.text.length), 'the file ends after a backslash that promises another line');
  const { pairs, failure } = lexRule(line.text);
  if (failure !== undefined) return fail(at(failure.offset), failure.message, failure.suggestion);
  const tokens: RuleToken[] = [];
  let isBad = false;
  for (const pair of pairs) {
    for (const { severity, message, at: part, offset = 0, suggestion } of checkPair(pair)) {
      const place = at(part === 'key' ? pair.offset : pair.valueOffset + pair.prefix.length + 1 + offset);
      const left = severity === 'error' ? '; the rule is left out' : '';
      problems.push({
        severity,
        place,
        message: message + left,
        ...(suggestion === undefined ? {} : { suggestion }),
      });
      isBad ||= severity === 'error';
    }
    const token = tokenOf(pair, at(pair.offset));
    if (token !== undefined) addToken(token, tokens, problems);
  }
  const [first] = tokens;
  return isBad || first === undefined ? undefined : { place: first.place, tokens };
}

function tokenOf(pair: RulePair, place: Place): RuleToken | undefined {
  const spec = keySpec(pair.key);
  if (spec === undefined) return undefined;
  const { attribute } = pair;
  return {
    key: spec.name,
    ...(attribute === undefined ? {} : { attribute }),
    operator: effectiveOperator(pair.operator, spec),
    value: pair.value,
    isCaseless: pair.prefix.includes('i'),
    place,
  };
}

/** What an operator comes to: running keys know only whether it went well; where `+=` has no meaning it is `=`. */
function effectiveOperator(operator: Operator, { runs, assigns }: NonNullable<ReturnType<typeof keySpec>>): Operator {
  if (operator === '==' || operator === '!=') return operator;
  if (runs === true) return '==';
  const known: readonly Operator[] = assigns;
  return known.includes(operator) ? operator : '=';
}

/** A second GOTO or LABEL of one rule counts for nothing. */
function addToken(token: RuleToken, tokens: RuleToken[], problems: RuleProblem[]): void {
  const isTwice = (token.key === 'GOTO' || token.key === 'LABEL') && tokens.some(({ key }) => key === token.key);
  if (!isTwice) {
    tokens.push(token);
    return;
  }
  const message = `the rule has a ${token.key} already; this one is left out`;
  problems.push({ severity: 'warning', place: token.place, message });
}

/** A GOTO leads to the next LABEL of its name further down. */
function withoutLostGotos(rules: readonly Rule[], problems: RuleProblem[]): readonly Rule[] {
  const below = new Set<string>();
  const above = new Set(rules.flatMap(rule => wordOf(rule, 'LABEL') ?? []));
  return rules
    .toReversed()
    .flatMap(rule => {
      const goto = rule.tokens.find(({ key }) => key === 'GOTO');
      const isLost = goto !== undefined && !below.has(goto.value);
      const label = wordOf(rule, 'LABEL');
      if (label !== undefined) below.add(label);
      if (!isLost) return [rule];
      const where = above.has(goto.value) ? 'stands further up, and GOTO leads down only' : 'is nowhere in this file';
      const message = `the LABEL "${goto.value}" ${where}; the GOTO is left out`;
      problems.push({ severity: 'error', place: goto.place, message });
      const tokens = rule.tokens.filter(token => token !== goto);
      return tokens.length === 0 ? [] : [{ ...rule, tokens }];
    })
    .toReversed();
}

function byPlace(a: RuleProblem, b: RuleProblem): number {
  return (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0);
}
