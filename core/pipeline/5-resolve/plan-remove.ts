import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';
import type { ModuleWorld } from './probe-list.ts';

/** What the kernel says of a module that is there. */
export interface LoadedFacts {
  /** How many hold it: modules, open files, mounts. Undefined when the kernel cannot unload. */
  readonly refcnt: number | undefined;
  readonly holders: readonly ModuleName[];
}

/** Why a module is removed along with another, or is the one that was named. */
export type RemovalRole = 'target' | 'softdep-post' | 'holder' | 'unused-dependency' | 'softdep-pre';

interface RemoveFacts {
  readonly module: ModuleName;
  readonly role: RemovalRole;
  /** A required step that fails, or is refused, ends the removal. */
  readonly required: boolean;
  /** Taken only when that module went. */
  readonly after?: ModuleName;
}

/** One step of a removal, in order. */
export type RemoveStep = RemoveFacts &
  (
    | { readonly kind: 'remove' }
    | { readonly kind: 'run-remove'; readonly command: string; readonly place: Place }
    | { readonly kind: 'not-loaded' }
    | { readonly kind: 'builtin' }
    | { readonly kind: 'in-use'; readonly refcnt: number; readonly holders: readonly ModuleName[] }
  );

/** What `modprobe -r` would do for one module. */
export interface RemovePlan {
  readonly target: ModuleName;
  readonly steps: readonly RemoveStep[];
}

export interface RemoveOptions {
  /** Every module that is loaded now. The caller reads it; planning asks nobody. */
  readonly loaded: ReadonlyMap<ModuleName, LoadedFacts>;
  /** Leave out remove commands and softdeps, of every module touched (`-i`). */
  readonly ignoreCommand?: boolean;
  /** First the modules that hold the target, one level deep (`--remove-holders`). */
  readonly removeHolders?: boolean;
  /** Ask the kernel even when something holds the module: it may let go in time (`--wait`). */
  readonly ignoreUse?: boolean;
  /** Ask of no module named or softdep whether it is there (`-D`). */
  readonly ignoreLoaded?: boolean;
  /** Take it that nothing of the plan is done (`-n`): counts stay as they are, and dependencies still look used. */
  readonly isDryRun?: boolean;
}

/** Most steps of one removal; a real one has a few. Softdeps that name each other in a circle are bounded by it, too. */
const REMOVE_MAX_STEPS = 1024;

interface Walk {
  readonly world: ModuleWorld;
  readonly options: RemoveOptions;
  readonly steps: RemoveStep[];
  /** Modules being worked on: a softdep back to one of them is not followed. */
  readonly entered: Set<ModuleName>;
  readonly gone: Set<ModuleName>;
}

/**
 * Module → what modprobe -r does, in order: its post softdeps last first; its holders, last first, when asked; itself, by its remove command if
 * it has one; then in one pass the dependencies nobody uses any more, deepest first, which leaves chains half loaded; its pre softdeps
 * last first. Asks nobody and changes nothing. Source: modprobe(8), kmod tools/modprobe.c as observed.
 */
export function planRemove(target: ModuleName, world: ModuleWorld, options: RemoveOptions): RemovePlan {
  const walk: Walk = { world, options, steps: [], entered: new Set(), gone: new Set() };
  removeModule(target, { role: 'target', required: true }, walk);
  return { target, steps: walk.steps };
}

/** @returns whether the module went, as far as one can tell beforehand */
function removeModule(module: ModuleName, place: Omit<RemoveFacts, 'module'>, walk: Walk): boolean {
  const { world, options, steps, entered } = walk;
  if (entered.has(module) || steps.length >= REMOVE_MAX_STEPS) return true;
  entered.add(module);
  const facts = { module, ...place };
  const command = options.ignoreCommand === true ? undefined : world.config.removeCommand(module);
  if (command === undefined && options.ignoreLoaded !== true) {
    const isBuiltin = world.tree.isBuiltin(module);
    if (isBuiltin || loadedFacts(module, walk) === undefined) {
      steps.push({ ...facts, kind: isBuiltin ? 'builtin' : 'not-loaded' });
      return !isBuiltin;
    }
  }
  const softdep = options.ignoreCommand === true ? undefined : world.config.softdepOf(module);
  removeSoftdeps(softdep?.post ?? [], { role: 'softdep-post', required: false }, walk);
  if (place.role === 'target' && options.removeHolders === true) {
    for (const holder of loadedFacts(module, walk)?.holders.toReversed() ?? []) {
      if (!removeModule(holder, { role: 'holder', required: true }, walk)) return false;
    }
  }
  if (command === undefined) {
    const { refcnt = 0, holders = [] } = loadedFacts(module, walk) ?? {};
    if (refcnt > 0 && options.ignoreUse !== true) {
      steps.push({ ...facts, kind: 'in-use', refcnt, holders });
      return false;
    }
    // Also when a holder took it along, as something nobody else used: kmod asks once more, and fails.
    steps.push({ ...facts, kind: 'remove' });
    removeUnusedDependencies(module, walk);
  } else steps.push({ ...facts, kind: 'run-remove', command: command.command, place: command.place });
  removeSoftdeps(softdep?.pre ?? [], { role: 'softdep-pre', required: false, after: module }, walk);
  return true;
}

function removeSoftdeps(names: readonly string[], place: Omit<RemoveFacts, 'module'>, walk: Walk): void {
  const { tree, config } = walk.world;
  const modules = names.flatMap(name => lookupModules(name, tree, config).map(match => match.module));
  for (const module of modules.toReversed()) {
    if (walk.options.ignoreLoaded === true || !tree.isBuiltin(module)) removeModule(module, place, walk);
  }
}

function removeUnusedDependencies(module: ModuleName, walk: Walk): void {
  const { world, options, steps, gone } = walk;
  if (options.isDryRun !== true) gone.add(module);
  for (const dependency of (world.tree.module(module)?.dependencies ?? []).toReversed()) {
    if (loadedFacts(dependency, walk)?.refcnt !== 0) continue;
    if (options.isDryRun !== true) gone.add(dependency);
    steps.push({ module: dependency, role: 'unused-dependency', required: false, after: module, kind: 'remove' });
  }
}

/** A module as it will be when all before this step is done: those that are gone hold nothing. */
function loadedFacts(module: ModuleName, { options, gone }: Walk): LoadedFacts | undefined {
  const facts = gone.has(module) ? undefined : options.loaded.get(module);
  if (facts === undefined) return undefined;
  const holders = facts.holders.filter(holder => !gone.has(holder));
  const freed = facts.holders.length - holders.length;
  return { holders, refcnt: facts.refcnt === undefined ? undefined : Math.max(0, facts.refcnt - freed) };
}
