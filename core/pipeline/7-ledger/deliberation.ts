import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Device } from '../2-device/device.ts';
import type { Candidate } from '../3-match/candidate.ts';
import type { Decision } from '../4-policy/opinion.ts';
import type { LoadPlan } from '../5-resolve/load-plan.ts';
import type { Outcome } from '../6-load/outcome.ts';

/** All that is known of an event before anything is done about it; on disk before the act. */
export interface Deliberation {
  readonly device: Device;
  readonly candidates: readonly Candidate[];
  readonly decisions: readonly Decision[];
  readonly plans: readonly LoadPlan[];
}

/** What became of an event, in one word. Outcomes are named by what matters most to the person who asks. */
export const ENTRY_RESULTS = [
  'failed',
  'refused',
  'loaded',
  'observed',
  'held',
  'denied',
  'already-loaded',
  'builtin',
  'skipped',
  'no-module',
  'no-modalias',
] as const;
export type EntryResult = (typeof ENTRY_RESULTS)[number];

/**
 * A deliberation and its outcomes → the entry's one word. A failure of a step that was required beats a success beside it; a
 * softdep that failed does not count, as modprobe does not count it.
 */
export function resultOf(
  { device, candidates, decisions, plans }: Deliberation,
  outcomes: readonly Outcome[],
): EntryResult {
  const optional = optionalModules(plans);
  const kinds = new Set(
    outcomes.filter(o => !((o.kind === 'refused' || o.kind === 'failed') && optional.has(o.module))).map(o => o.kind),
  );
  const verdicts = new Set(decisions.map(decision => decision.verdict));
  if (kinds.has('failed')) return 'failed';
  if (kinds.has('refused')) return 'refused';
  if (kinds.has('inserted') || kinds.has('ran')) return 'loaded';
  if (kinds.has('observed')) return 'observed';
  if (verdicts.has('hold')) return 'held';
  if (verdicts.has('deny')) return 'denied';
  if (kinds.has('already-loaded')) return 'already-loaded';
  if (kinds.has('builtin')) return 'builtin';
  if (kinds.has('skipped') || candidates.length > 0) return 'skipped';
  return device.modalias === undefined ? 'no-modalias' : 'no-module';
}

/** Every module a deliberation speaks of, once. */
export function modulesOf({ candidates, decisions, plans }: Deliberation): ReadonlySet<ModuleName> {
  return new Set([
    ...candidates.map(candidate => candidate.module),
    ...decisions.map(decision => decision.module),
    ...plans.flatMap(plan => [plan.target, ...plan.steps.map(step => step.module)]),
  ]);
}

function optionalModules(plans: readonly LoadPlan[]): ReadonlySet<ModuleName> {
  const steps = plans.flatMap(plan => plan.steps);
  const required = new Set(steps.filter(step => step.required).map(step => step.module));
  return new Set(steps.map(step => step.module).filter(module => !required.has(module)));
}
