import type { SystemRoot } from '../kernel/system-root.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import { standingOpinions } from '../pipeline/4-policy/standing-opinions.ts';
import { ruleOpinions } from '../pipeline/4-policy/rules/rule-opinions.ts';
import type { LoadPlan } from '../pipeline/5-resolve/load-plan.ts';
import { formatProblem } from '../vocabulary/place.ts';
import { openAskedPlugins } from './asked-plugins.ts';
import { policySources, readPolicy } from './policy-in-force.ts';
import { readRulePolicy } from './rules-in-force.ts';
import { traitsOfFile } from './tree-traits.ts';

/** Who is asked when an administrator loads a module; disposing of it ends the plugins among them. */
export interface AdministratorPolicy extends AsyncDisposable {
  readonly opinions: readonly OpinionSource[];
}

/**
 * All of usherd's policy, for a tool that loads a module once. Where only what is admitted may load, a plan that the daemon is carrying out
 * is admitted (`isAdmitted`). A file of its own in dist/: a tool reads it only where there is policy.
 * @throws {UsherdError} FILE_UNREADABLE when the decisions are there and cannot be read
 */
export async function openAdministratorPolicy(
  roots: SystemRoot,
  plan: LoadPlan,
  { notice, isAdmitted }: { readonly notice: (message: string) => void; readonly isAdmitted: () => Promise<boolean> },
): Promise<AdministratorPolicy> {
  const policy = readPolicy(roots);
  for (const problem of policy.problems) notice(formatProblem(problem));
  const rules = readRulePolicy(roots, module => {
    const step = plan.steps.find(each => each.kind === 'insert' && each.module === module);
    return step?.kind === 'insert' ? traitsOfFile(step.path) : undefined;
  });
  const admits = policy.settings().default === 'deny-unmatched' && (await isAdmitted());
  const own = admits ? [standingOpinions(policy)] : policySources(policy);
  const plugins = await openAskedPlugins(roots, { traitsOf: rules.traitsOf, notice });
  return {
    opinions: [...own, ruleOpinions(rules), ...plugins.opinions],
    [Symbol.asyncDispose]: () => plugins[Symbol.asyncDispose](),
  };
}
