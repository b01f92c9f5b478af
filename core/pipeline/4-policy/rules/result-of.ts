import type { Evaluation } from './evaluation.ts';
import type { RuleResult } from './rule-result.ts';

/** What all rules together have come to. */
export function resultOf(evaluation: Evaluation): RuleResult {
  const { hasNode, name, owner, group, mode, watch, verdict, logLevel, driverOverride } = evaluation;
  return {
    properties: evaluation.properties,
    tags: [...evaluation.tags],
    links: [...evaluation.links],
    linkPriority: evaluation.linkPriority,
    ...(name.value === undefined ? {} : { name: name.value }),
    ...(!hasNode || owner.value === undefined ? {} : { owner: owner.value }),
    ...(!hasNode || group.value === undefined ? {} : { group: group.value }),
    ...(!hasNode || mode.value === undefined ? {} : { mode: mode.value }),
    seclabels: evaluation.seclabels,
    attributes: evaluation.attributes,
    sysctls: evaluation.sysctls,
    run: evaluation.run,
    ...(watch.value === undefined ? {} : { watch: watch.value }),
    dbPersist: evaluation.dbPersist,
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(verdict.value === undefined ? {} : { verdict: verdict.value }),
    parameters: evaluation.parameters,
    ...(driverOverride === undefined ? {} : { driverOverride }),
    notes: evaluation.notes,
  };
}
