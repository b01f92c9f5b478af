import { runProgram } from '../kernel/run-program.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { RuleContext, RunProgram } from '../pipeline/4-policy/rules/rule-context.ts';
import { loadRuleSet } from '../pipeline/4-policy/rules/rule-files.ts';
import type { RulePolicy } from '../pipeline/4-policy/rules/rule-opinions.ts';
import type { RuleSet } from '../pipeline/4-policy/rules/rule-set.ts';
import { SystemContext } from '../pipeline/4-policy/rules/system-context.ts';
import { readSettings } from './read-settings.ts';
import { ruleDirs } from './rule-dirs.ts';

/** A program's output when it ended with 0. */
export const runRuleProgram: RunProgram = async ({ words, env }) => {
  const end = await runProgram(words, env);
  return end.kind === 'exited' && end.status === 0 ? end.stdout : undefined;
};

/** What rules need to speak of modules: of a set that may be another after a reload. */
export function rulePolicy(
  roots: SystemRoot,
  traitsOf: RulePolicy['traitsOf'],
  ruleSet: () => RuleSet,
  context: RuleContext = new SystemContext(roots),
): RulePolicy {
  return { ruleSet, context: () => context, runProgram: runRuleProgram, traitsOf, places: roots };
}

/** Reads the rules once, for a process that soon ends. */
export function readRulePolicy(roots: SystemRoot, traitsOf: RulePolicy['traitsOf']): RulePolicy {
  const ruleSet = loadRuleSet(ruleDirs(roots, readSettings(roots.configDirs).settings));
  return rulePolicy(roots, traitsOf, () => ruleSet);
}
