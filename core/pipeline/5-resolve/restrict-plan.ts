import type { Decision } from '../4-policy/opinion.ts';
import { mayLoad } from '../4-policy/decide.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { LoadPlan } from './load-plan.ts';

/** Modules of a plan that must not be loaded, each with the reason a person reads. Empty: the whole plan may be carried out. */
export type Refusals = ReadonlyMap<ModuleName, string>;

/**
 * Plan and verdicts → which of its steps must not be taken. A denied or held softdep is left out, with what stands in the plan only
 * for its sake. A denied or held target or dependency stops the whole plan before its first step.
 */
export function restrictPlan(plan: LoadPlan, decisions: ReadonlyMap<ModuleName, Decision>): Refusals {
  const refusals = new Map<ModuleName, string>();
  for (const step of plan.steps) {
    const decision = decisions.get(step.module);
    if (decision === undefined || mayLoad(decision)) continue;
    const reason = refusalReason(decision);
    if (step.required) return new Map(plan.steps.map(({ module }) => [module, reason]));
    refusals.set(step.module, reason);
  }
  for (const step of plan.steps) {
    const reason = step.required || step.neededBy === undefined ? undefined : refusals.get(step.neededBy);
    if (reason !== undefined && !refusals.has(step.module)) refusals.set(step.module, reason);
  }
  return refusals;
}

/** Whether something is left of some plan; a device that no module claims has no plan, and nothing against it. */
export function leavesAny(plans: readonly LoadPlan[], refusals: readonly Refusals[]): boolean {
  return plans.length === 0 || plans.some(({ target }, n) => refusals[n]?.has(target) !== true);
}

function refusalReason({ module, verdict, winner }: Decision): string {
  const what = verdict === 'hold' ? 'is held' : 'is denied';
  return winner === undefined ? `${module} ${what}` : `${module} ${what} by ${winner.by}: ${winner.reason}`;
}
