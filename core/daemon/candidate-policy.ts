import { existsSync } from 'node:fs';
import path from 'node:path';
import { readInitState } from '../kernel/sys-module.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { readDecisions } from '../pipeline/4-policy/decisions-file.ts';
import { ruleOpinions } from '../pipeline/4-policy/rules/rule-opinions.ts';
import { formatProblem } from '../vocabulary/place.ts';
import { openAskedPlugins } from './asked-plugins.ts';
import { openWorld } from './module-world.ts';
import { opinionSources, type Observer } from './observer.ts';
import { readPolicy } from './policy-in-force.ts';
import { readRulePolicy } from './rules-in-force.ts';
import { treeTraits } from './tree-traits.ts';

/**
 * A folder laid out like /etc/usherd (usherd.toml, rules.d, plugins) → what would think by it, over the modules, modprobe.d and devices
 * of this machine. A decisions.toml in it takes the place of the decisions that count now; without one they count. Plugins know what
 * they have stored, and what they store is forgotten. What is wrong in the folder is told by `notice`.
 * @throws {UsherdError} FILE_UNREADABLE
 */
export async function openCandidate(
  dir: string,
  roots: SystemRoot,
  release: string,
  notice: (message: string) => void,
): Promise<Observer> {
  const candidate = { ...roots, configDirs: [path.resolve(dir)] };
  const opened = openWorld(roots, release);
  const inForce = readPolicy(candidate);
  const own = path.join(dir, 'decisions.toml');
  const named = existsSync(own) ? readDecisions(own) : undefined;
  const rules = readRulePolicy(
    candidate,
    treeTraits(() => opened.tree),
  );
  for (const problem of [...inForce.problems, ...(named?.problems ?? []), ...rules.ruleSet().problems])
    notice(formatProblem(problem));
  const policy = named === undefined ? inForce : { ...inForce, decisions: () => named.decisions };
  const plugins = await openAskedPlugins(candidate, { traitsOf: rules.traitsOf, notice });
  return {
    opened,
    world: () => opened,
    stateOf: module => readInitState(roots.sys, module, opened.tree.isBuiltin(module)),
    opinions: [...opinionSources(() => opened.config, policy, [ruleOpinions(rules)]), ...plugins.opinions],
    [Symbol.asyncDispose]: () => plugins[Symbol.asyncDispose](),
  };
}
