import { existsSync } from 'node:fs';
import type { SystemRoot } from '../kernel/system-root.ts';
import { readInitState } from '../kernel/sys-module.ts';
import { kernelBlacklist, modprobeBlacklist } from '../pipeline/4-policy/modprobe-blacklist.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import type { ModprobeConfig } from '../kmod/config/modprobe-config.ts';
import type { Mind } from '../pipeline/pipeline.ts';
import { openAskedPlugins } from './asked-plugins.ts';
import { policySources, readPolicy, type PolicyInForce } from './policy-in-force.ts';
import { readSettings, type ReadSettings } from './read-settings.ts';
import { hasRules, ruleDirs } from './rule-dirs.ts';
import { treeTraits, type TraitsReader } from './tree-traits.ts';
import { openWorld, type OpenedWorld } from './module-world.ts';

/** Everybody who is asked for an opinion. Without a policy, as in a replay elsewhere, modprobe's configuration is all there is. */
export function opinionSources(
  config: () => ModprobeConfig,
  policy?: PolicyInForce,
  ruled: readonly OpinionSource[] = [],
): readonly OpinionSource[] {
  const ours = policy === undefined ? [] : policySources(policy);
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
  const traitsOf = treeTraits(() => opened.tree);
  // Most systems have one of them, or two; nobody has to look for ten names in each of the others.
  const configured = { ...roots, configDirs: roots.configDirs.filter(dir => existsSync(dir)) };
  const settings = readSettings(configured.configDirs);
  const ruled = await readRuled(configured, settings, traitsOf);
  const plugins = await openAskedPlugins(configured, { traitsOf, notice });
  return {
    opened,
    world: () => opened,
    stateOf: module => readInitState(roots.sys, module, opened.tree.isBuiltin(module)),
    opinions: [...opinionSources(() => opened.config, readPolicy(configured, settings), ruled), ...plugins.opinions],
    [Symbol.asyncDispose]: () => plugins[Symbol.asyncDispose](),
  };
}

/** Rules, where there are any: most of what thinks is in them, and most systems have none for drivers. */
async function readRuled(
  roots: SystemRoot,
  { settings }: ReadSettings,
  traitsOf: TraitsReader,
): Promise<readonly OpinionSource[]> {
  if (!hasRules(ruleDirs(roots, settings))) return [];
  const { readRuleOpinions } = await import('./rule-opinions-once.ts');
  return [readRuleOpinions(roots, traitsOf)];
}
