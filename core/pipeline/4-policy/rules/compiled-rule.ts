import type { Evaluation } from './evaluation.ts';
import type { Rule, RuleToken } from './rule.ts';
import type { ProgramAnswer, ProgramRequest, RuleDevice } from './rule-context.ts';

/**
 * Something that is the same for all rules of one event, so that most rules can be put aside beforehand: for all events with the same ACTION,
 * SUBSYSTEM and DEVTYPE at once, by KERNEL for each.
 */
export type FixedKey = 'ACTION' | 'SUBSYSTEM' | 'DEVTYPE' | 'KERNEL';

/** One key of a rule, ready to be gone through. `false` ends the rule. */
export type CompiledToken = { readonly source: RuleToken; readonly rank: number } & (
  | {
      readonly kind: 'match';
      readonly holds: (evaluation: Evaluation) => boolean;
      /** Set when it looks at nothing but this. */
      readonly fixed?: { readonly key: FixedKey; readonly holds: (text: string) => boolean };
      /** Looks at the module in question. */
      readonly isOfModule?: boolean;
    }
  | { readonly kind: 'climb'; readonly holds: (evaluation: Evaluation, device: RuleDevice) => boolean }
  | {
      readonly kind: 'program';
      /** What to run; a boolean when there is nothing to run. */
      readonly request: (evaluation: Evaluation) => ProgramRequest | boolean;
      readonly settle: (evaluation: Evaluation, answer: ProgramAnswer) => boolean;
    }
  | { readonly kind: 'act'; readonly act: (evaluation: Evaluation) => void }
);

export interface CompiledRule {
  readonly source: Rule;
  /** Counts through all rules of the set. */
  readonly index: number;
  /** In the order they are gone through: what matches before what assigns, cheap before dear. */
  readonly tokens: readonly CompiledToken[];
  /** Index of the rule a GOTO leads to. */
  readonly goto?: number;
  /** Whether it matches something that only a question about a module can answer. */
  readonly isOfModule: boolean;
  /** Whether it gives a verdict, another module or parameters. */
  readonly saysOfModule: boolean;
  /** All it can do is give links: it is gone through only for a device that has a node and stays. */
  readonly onlyLinks: boolean;
  /** All it can do is name an interface. */
  readonly onlyNames: boolean;
}
