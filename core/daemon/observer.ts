import type { SystemRoot } from '../kernel/system-root.ts';
import { readInitState } from '../kernel/sys-module.ts';
import { kernelBlacklist, modprobeBlacklist } from '../pipeline/4-policy/modprobe-blacklist.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import { ruleOpinions, type RulePolicy } from '../pipeline/4-policy/rules/rule-opinions.ts';
import type { ModprobeConfig } from '../kmod/config/modprobe-config.ts';
import type { Mind } from '../pipeline/pipeline.ts';
import { openAskedPlugins } from './asked-plugins.ts';
import { policySources, readPolicy, type PolicyInForce } from './policy-in-force.ts';
import { readRulePolicy, treeTraits } from './rules-in-force.ts';
import { openWorld, type OpenedWorld } from './module-world.ts';

/** Everybody who is asked for an opinion. Without a policy, as in a replay elsewhere, modprobe's configuration is all there is. */
export function opinionSources(
  config: () => ModprobeConfig,
  policy?: PolicyInForce,
  rules?: RulePolicy,
): readonly OpinionSource[] {
  const ours = policy === undefined ? [] : policySources(policy);
  const ruled = rules === undefined ? [] : [ruleOpinions(rules)];
  return [modprobeBlacklist(config), kernelBlacklist(config), ...ours, ...ruled];
}

/** What thinks as the daemon does, over a system that is only looked at. Disposing of it ends the plugins that were asked. */
export interface Observer extends Mind, AsyncDisposable {
  readonly opened: OpenedWorld;
}

/** Opens what `usher why` asks: also the plugins. `notice` tells who could not be asked. */
export async function openObserver(
  roots: SystemRoot,
  release: string,
  notice: (message: string) => void,
): Promise<Observer> {
  const opened = openWorld(roots, release);
  const rules = readRulePolicy(
    roots,
    treeTraits(() => opened.tree),
  );
  const plugins = await openAskedPlugins(roots, { traitsOf: rules.traitsOf, notice });
  return {
    opened,
    world: () => opened,
    stateOf: module => readInitState(roots.sys, module, opened.tree.isBuiltin(module)),
    opinions: [...opinionSources(() => opened.config, readPolicy(roots), rules), ...plugins.opinions],
    [Symbol.asyncDispose]: () => plugins[Symbol.asyncDispose](),
  };
}
