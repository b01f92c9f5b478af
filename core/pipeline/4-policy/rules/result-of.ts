import type { Evaluation } from './evaluation.ts';
import type { RuleResult } from './rule-result.ts';

type Writable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** What all rules together have come to. It is made for each event, so what is absent is left out by tests, which cost less than spreads. */
export function resultOf(evaluation: Evaluation): RuleResult {
  const { hasNode, name, owner, group, mode, watch, verdict, logLevel, driverOverride } = evaluation;
  const result: Writable<RuleResult> = {
    properties: evaluation.properties,
    tags: [...evaluation.tags],
    links: [...evaluation.links],
    linkPriority: evaluation.linkPriority,
    seclabels: evaluation.seclabels,
    attributes: evaluation.attributes,
    sysctls: evaluation.sysctls,
    run: evaluation.run,
    dbPersist: evaluation.dbPersist,
    parameters: evaluation.parameters,
    notes: evaluation.notes,
  };
  if (name.value !== undefined) result.name = name.value;
  if (hasNode && owner.value !== undefined) result.owner = owner.value;
  if (hasNode && group.value !== undefined) result.group = group.value;
  if (hasNode && mode.value !== undefined) result.mode = mode.value;
  if (watch.value !== undefined) result.watch = watch.value;
  if (logLevel !== undefined) result.logLevel = logLevel;
  if (verdict.value !== undefined) result.verdict = verdict.value;
  if (driverOverride !== undefined) result.driverOverride = driverOverride;
  return result;
}
