import type { Place, Problem } from '../../../vocabulary/place.ts';
import type { KeyName, Operator } from './language.ts';

/** `KEY{attribute}OPERATOR"value"` as it stands in a file. */
export interface RuleToken {
  readonly key: KeyName;
  /** What stands in braces. */
  readonly attribute?: string;
  readonly operator: Operator;
  /** The value, unescaped. */
  readonly value: string;
  /** `i"…"`: upper and lower case are the same. */
  readonly isCaseless: boolean;
  readonly place: Place;
}

/** One rule: when all that matches does, all that assigns is done. */
export interface Rule {
  /** Where its first key stands. */
  readonly place: Place;
  readonly tokens: readonly RuleToken[];
}

/** `error`: the rule is left out. `warning`: it does not do what it says. `style`: it works, and reads badly. */
export type RuleSeverity = 'error' | 'warning' | 'style';

/** A problem in a rule file. */
export interface RuleProblem extends Problem {
  readonly severity: RuleSeverity;
  /** What to write in place of it, where that is obvious. */
  readonly suggestion?: string;
}

/** A rule file as read. */
export interface ParsedRules {
  readonly file: string;
  readonly rules: readonly Rule[];
  readonly problems: readonly RuleProblem[];
}

/** The value of a rule's LABEL or GOTO, or undefined. */
export function wordOf({ tokens }: Rule, key: 'LABEL' | 'GOTO'): string | undefined {
  return tokens.find(token => token.key === key)?.value;
}
