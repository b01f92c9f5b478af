import { compileAssign } from './assign-tokens.ts';
import type { CompiledRule, CompiledToken } from './compiled-rule.ts';
import { compileClimb, compileMatch } from './match-tokens.ts';
import { wordOf, type ParsedRules, type Rule, type RuleToken } from './rule.ts';
import { compileRunning } from './run-tokens.ts';
import { compileVerdict } from './verdict-tokens.ts';

/**
 * Rank of a key within its rule: udev goes through the keys of a rule in this order, whatever order they are written in. What matches
 * comes first, and of that what is cheap; options before what they are options of.
 * Source: systemd, udev-rules.c, UdevRuleTokenType.
 */
const MATCH_RANKS: readonly string[] = [
  'ACTION',
  'DEVPATH',
  'KERNEL',
  'SYMLINK',
  'NAME',
  'ENV',
  'CONST',
  'TAG',
  'SUBSYSTEM',
  'DRIVER',
  'MODULE',
  'MODALIAS',
  'ORIGIN',
  'ATTR',
  'SYSCTL',
  'LICENSE',
  'SIGNER',
  'TAINTS',
  'KERNELS',
  'SUBSYSTEMS',
  'DRIVERS',
  'ATTRS',
  'TAGS',
  'TEST',
  'PROGRAM',
  'IMPORT{file}',
  'IMPORT{program}',
  'IMPORT{builtin}',
  'IMPORT{db}',
  'IMPORT{cmdline}',
  'IMPORT{parent}',
  'RESULT',
];
const ASSIGN_RANKS: readonly string[] = [
  'OPTIONS',
  'OWNER',
  'GROUP',
  'MODE',
  'TAG',
  'SECLABEL',
  'ENV',
  'NAME',
  'SYMLINK',
  'ATTR',
  'SYSCTL',
  'RUN{builtin}',
  'RUN',
  'DRIVER_OVERRIDE',
  'VERDICT',
  'MODULE',
];

function rankOf({ key, operator, attribute }: RuleToken): number {
  const isMatch = operator === '==' || operator === '!=';
  const named = `${key}{${attribute}}`;
  const ranks = isMatch ? MATCH_RANKS : ASSIGN_RANKS;
  const rank = ranks.includes(named) ? ranks.indexOf(named) : ranks.indexOf(key);
  return isMatch ? rank : MATCH_RANKS.length + rank;
}

/** Parsed files in their order → rules ready to be gone through. */
export function compileRules(files: readonly ParsedRules[]): readonly CompiledRule[] {
  const compiled: CompiledRule[] = [];
  for (const { rules } of files) {
    const first = compiled.length;
    for (const [n, rule] of rules.entries()) compiled.push(compileRule(rule, first + n, gotoIndex(rules, n, first)));
  }
  return compiled;
}

/** A GOTO leads to the next rule below that has its LABEL. */
function gotoIndex(rules: readonly Rule[], n: number, first: number): number | undefined {
  const rule = rules[n];
  const name = rule === undefined ? undefined : wordOf(rule, 'GOTO');
  if (name === undefined) return undefined;
  const found = rules.findIndex((candidate, at) => at > n && wordOf(candidate, 'LABEL') === name);
  return found < 0 ? undefined : first + found;
}

function compileRule(source: Rule, index: number, goto: number | undefined): CompiledRule {
  const tokens = source.tokens
    .map(token => compileToken(token, source))
    .filter(token => token !== undefined)
    .toSorted((a, b) => a.rank - b.rank);
  const acting = source.tokens.filter(({ key, operator }) => operator !== '==' && operator !== '!=' && key !== 'LABEL');
  const runs = tokens.some(({ kind }) => kind === 'program');
  const only = (key: string): boolean =>
    !runs && goto === undefined && acting.length > 0 && acting.every(token => token.key === key);
  return {
    source,
    index,
    tokens,
    ...(goto === undefined ? {} : { goto }),
    isOfModule: tokens.some(token => token.kind === 'match' && token.isOfModule === true),
    saysOfModule: saysOfModule(source),
    onlyLinks: only('SYMLINK'),
    onlyNames: only('NAME'),
  };
}

function saysOfModule({ tokens }: Rule): boolean {
  return tokens.some(
    ({ key, operator, attribute }) =>
      key === 'VERDICT' || (key === 'MODULE' && operator === '=') || (key === 'OPTIONS' && attribute === 'module'),
  );
}

function compileToken(source: RuleToken, rule: Rule): CompiledToken | undefined {
  const rank = rankOf(source);
  const running = compileRunning(source);
  if (running !== undefined) return { source, rank, kind: 'program', ...running };
  if (source.operator === '==' || source.operator === '!=') {
    const match = compileMatch(source);
    if (match !== undefined) return { source, rank, kind: 'match', ...match };
    const climb = compileClimb(source);
    return climb === undefined ? undefined : { source, rank, kind: 'climb', ...climb };
  }
  const act = compileVerdict(source, rule) ?? compileAssign(source);
  return act === undefined ? undefined : { source, rank, kind: 'act', act };
}
