import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Candidate } from '../3-match/candidate.ts';
import { decide } from '../4-policy/decide.ts';
import type { Decision } from '../4-policy/opinion.ts';
import type { Asker, OpinionSource } from '../4-policy/question.ts';
import type { LoadPlan } from './load-plan.ts';

/**
 * A plan → a verdict for every module in it: the target, its dependencies, its softdeps, in the order of the plan. `known` holds those
 * that were asked for already; they stand first and are not asked for again.
 */
export async function judgePlan(
  plan: LoadPlan,
  { candidate, asker, opinions }: { candidate: Candidate; asker: Asker; opinions: readonly OpinionSource[] },
  known: readonly Decision[] = [],
): Promise<ReadonlyMap<ModuleName, Decision>> {
  const verdicts = new Map(known.map(decision => [decision.module, decision]));
  for (const { module, role } of plan.steps) {
    if (verdicts.has(module)) continue;
    const kind = role === 'target' || role === 'dependency' ? role : 'softdep';
    verdicts.set(module, await decide({ module, role: kind, candidate, asker }, opinions));
  }
  return verdicts;
}
