import { hasPolicy } from '../../daemon/has-policy.ts';
import type { LoadPlan } from '../../pipeline/5-resolve/load-plan.ts';
import type { Refusals } from '../../pipeline/5-resolve/restrict-plan.ts';
import type { ModuleMatch } from '../../kmod/lookup/module-match.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import type { ToolRun } from './tool.ts';

/** What a person asked for, and what found it. */
export interface AskedFor {
  readonly word: string;
  readonly match: ModuleMatch;
}

/** What policy takes out of a plan, and where it is written. */
export interface PolicyVerdict {
  readonly refusals: Refusals;
  readonly places: ReadonlySet<string>;
}

/**
 * A plan of ours → what usherd's policy says of it, the administrator who runs the tool asking; nothing where there is no policy. What
 * of it cannot be read is an error on the tool's log.
 * @throws {UsherdError} FILE_UNREADABLE when the decisions are there and cannot be read
 */
export async function judgePolicy(plan: LoadPlan, { word, match }: AskedFor, run: ToolRun): Promise<PolicyVerdict> {
  const { roots, host, log } = run;
  if (!hasPolicy(roots)) return { refusals: new Map(), places: new Set() };
  const { openAdministratorPolicy } = await import('../../daemon/administrator-policy.ts');
  const { judgePlan } = await import('../../pipeline/5-resolve/judge-plan.ts');
  const { restrictPlan } = await import('../../pipeline/5-resolve/restrict-plan.ts');
  await using policy = await openAdministratorPolicy(roots, plan, {
    notice: message => log.error(message),
    isAdmitted: () => isPartOfPlan(plan, run),
  });
  const verdicts = await judgePlan(plan, {
    candidate: { module: plan.target, match },
    asker: { kind: 'administrator', name: word, uid: host.uid },
    opinions: policy.opinions,
  });
  const denied = [...verdicts.values()].filter(({ verdict }) => verdict === 'deny');
  const places = new Set(denied.flatMap(({ winner }) => winner?.place ?? []).map(formatPlace));
  return { refusals: restrictPlan(plan, verdicts), places };
}

/**
 * A plan of ours → what is taken out of it. With --override-policy REASON nothing is, and the ledger says so: what cannot be written
 * there is not done. @throws {UsherdError} as judgePolicy does, and what the ledger throws
 */
export async function policyRefusals(plan: LoadPlan, asked: AskedFor, run: ToolRun): Promise<Refusals> {
  const { roots, host, log } = run;
  const { refusals, places } = await judgePolicy(plan, asked, run);
  const reason = run.valueOf('override-policy');
  if (refusals.size === 0 || reason === undefined) {
    for (const [module, why] of refusals) if (isOptional(plan, module)) log.explain(`${module} is left out: ${why}`);
    if (isStopped(plan, refusals)) for (const place of places) log.explain(`this is decided at ${place}`);
    return refusals;
  }
  const { noteOverride } = await import('../../daemon/note-override.ts');
  const refusal = refusals.get(plan.target) ?? [...refusals.values()][0] ?? '';
  await noteOverride(roots, { uid: host.uid, modules: [...refusals.keys()], reason, refusal });
  return new Map();
}

/**
 * An install command often runs modprobe for its own module. When the daemon is carrying out a plan for it, a device or request that was
 * admitted asks, and not whoever ran the tool; what is forbidden is so all the same. MODPROBE_MODULE only says what to ask for: the
 * daemon knows. Source: modprobe.d(5), install.
 */
async function isPartOfPlan({ target }: LoadPlan, { host, roots }: ToolRun): Promise<boolean> {
  if (host.env['MODPROBE_MODULE'] !== target) return false;
  const { isInFlight } = await import('../../daemon/is-in-flight.ts');
  return isInFlight(roots, target);
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
