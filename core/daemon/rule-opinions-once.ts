import type { SystemRoot } from '../kernel/system-root.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import { ruleOpinions } from '../pipeline/4-policy/rules/rule-opinions.ts';
import { readRulePolicy } from './rules-in-force.ts';
import type { TraitsReader } from './tree-traits.ts';

/** Reads the rules → their opinions, for a process that soon ends. A part of its own in dist/. */
export function readRuleOpinions(roots: SystemRoot, traitsOf: TraitsReader): OpinionSource {
  return ruleOpinions(readRulePolicy(roots, traitsOf));
}
