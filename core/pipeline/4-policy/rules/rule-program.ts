import type { CompiledRule, CompiledToken, FixedKey } from './compiled-rule.ts';

/** What events have alike that go through the same program. */
export type FixedTexts = Readonly<Record<Exclude<FixedKey, 'KERNEL'>, string>>;

/** A rule as far as it is not decided by the fixed texts. */
export interface ProgramRule {
  readonly rule: CompiledRule;
  readonly tokens: readonly CompiledToken[];
  /** Position in the program a GOTO leads to. */
  readonly goto?: number;
}

/** Rules left to be gone through for every event with the same fixed texts. */
export type RuleProgram = readonly ProgramRule[];

/**
 * All rules → those that can say anything of an event with this action, subsystem and devtype. Rules that cannot match are left out,
 * with what a GOTO that is always taken jumps over; keys that always match need not be asked again. What is left comes to the same.
 */
export function specialise(rules: readonly CompiledRule[], fixed: FixedTexts): RuleProgram {
  const kept: { rule: CompiledRule; tokens: readonly CompiledToken[] }[] = [];
  /** Where GOTOs that may or may not be taken lead: what comes from there on can be reached again. */
  const targets = new Set<number>();
  let skipTo = -1;
  for (const rule of rules) {
    if (targets.has(rule.index)) skipTo = -1;
    if (rule.index < skipTo) continue;
    const tokens = undecided(rule, fixed);
    if (tokens === undefined) continue;
    if (tokens.length > 0 || rule.goto !== undefined) kept.push({ rule, tokens });
    if (rule.goto === undefined) continue;
    if (tokens.length === 0) skipTo = rule.goto;
    else targets.add(rule.goto);
  }
  // A jump that is always taken is kept only where another GOTO leads into what it jumps over.
  const needed = kept.filter(({ rule, tokens }, n) => {
    const next = kept[n + 1];
    return tokens.length > 0 || (next !== undefined && rule.goto !== undefined && next.rule.index < rule.goto);
  });
  return needed.map(({ rule, tokens }) => {
    if (rule.goto === undefined) return { rule, tokens };
    const target = rule.goto;
    const at = needed.findIndex(candidate => candidate.rule.index >= target);
    return { rule, tokens, goto: at < 0 ? needed.length : at };
  });
}

/** Whether no rule of a program can match for a device with this KERNEL: each is about other names, or about a module where none is in question. */
export function isIdle(program: RuleProgram, kernel: string, isOfModule: boolean): boolean {
  return program.every(
    ({ rule, tokens }) =>
      (rule.isOfModule && !isOfModule) ||
      tokens.some(token => token.kind === 'match' && token.fixed?.key === 'KERNEL' && !token.fixed.holds(kernel)),
  );
}

/** All rules, every key of them: for a trace, and for a question that is about no device. */
export function wholeProgram(rules: readonly CompiledRule[]): RuleProgram {
  return rules.map(rule => ({ rule, tokens: rule.tokens, ...(rule.goto === undefined ? {} : { goto: rule.goto }) }));
}

/** Keys that the fixed texts do not answer, or undefined when one of them answers no. */
function undecided({ tokens }: CompiledRule, fixed: FixedTexts): readonly CompiledToken[] | undefined {
  const open: CompiledToken[] = [];
  for (const token of tokens) {
    const key = token.kind === 'match' ? token.fixed?.key : undefined;
    if (token.kind !== 'match' || key === undefined || key === 'KERNEL') open.push(token);
    else if (token.fixed?.holds(fixed[key]) === false) return undefined;
  }
  return open;
}
