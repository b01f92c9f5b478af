import { hasPolicy } from '../../daemon/has-policy.ts';
import type { LoadPlan } from '../../pipeline/5-resolve/load-plan.ts';
import type { Refusals } from '../../pipeline/5-resolve/restrict-plan.ts';
import type { ModuleMatch } from '../../kmod/lookup/module-match.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { formatPlace, formatProblem } from '../../vocabulary/place.ts';
import type { ToolRun } from './tool.ts';

const NO_REFUSALS: Refusals = new Map();

/** What a person asked for, and what found it. */
export interface AskedFor {
  readonly word: string;
  readonly match: ModuleMatch;
}

/**
 * A plan of ours → what usherd's policy takes out of it; nothing where there is no policy. With --override-policy REASON nothing is taken
 * out, and the ledger says so: what cannot be written there is not done.
 * @throws {UsherdError} FILE_UNREADABLE when the decisions are there and cannot be read, and what the ledger throws
 */
export async function policyRefusals(plan: LoadPlan, { word, match }: AskedFor, run: ToolRun): Promise<Refusals> {
  const { roots, host, log } = run;
  if (!hasPolicy(roots)) return NO_REFUSALS;
  const { readPolicy, policySources } = await import('../../daemon/policy-in-force.ts');
  const { judgePlan } = await import('../../pipeline/5-resolve/judge-plan.ts');
  const { restrictPlan } = await import('../../pipeline/5-resolve/restrict-plan.ts');
  const policy = readPolicy(roots);
  for (const problem of policy.problems) log.error(formatProblem(problem));
  const verdicts = await judgePlan(plan, {
    candidate: { module: plan.target, match },
    asker: { kind: 'administrator', name: word, uid: host.uid },
    opinions: policySources(policy),
  });
  const refusals = restrictPlan(plan, verdicts);
  const reason = run.valueOf('override-policy');
  if (refusals.size === 0 || reason === undefined) {
    const places = new Set([...verdicts.values()].flatMap(({ winner }) => winner?.place ?? []).map(formatPlace));
    for (const [module, why] of refusals) if (isOptional(plan, module)) log.explain(`${module} is left out: ${why}`);
    if (isStopped(plan, refusals)) for (const place of places) log.explain(`this is decided at ${place}`);
    return refusals;
  }
  const { noteOverride } = await import('../../daemon/note-override.ts');
  const refusal = refusals.get(plan.target) ?? [...refusals.values()][0] ?? '';
  await noteOverride(roots, { uid: host.uid, modules: [...refusals.keys()], reason, refusal });
  return NO_REFUSALS;
}

/** Whether policy stops the plan as a whole, and not only a softdep of it. */
export function isStopped(plan: LoadPlan, refusals: Refusals): boolean {
  return refusals.has(plan.target);
}

function isOptional({ steps }: LoadPlan, module: ModuleName): boolean {
  return (
    steps.some(step => step.module === module && !step.required) && !steps.some(s => s.module === module && s.required)
  );
}
