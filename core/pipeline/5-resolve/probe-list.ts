import type { ModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import { aliasOf } from '../../kmod/lookup/module-match.ts';
import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import type { Role } from './load-plan.ts';

/** The modules there are, and what the administrator says of them: all that planning looks at. */
export interface ModuleWorld {
  readonly tree: ModuleTree;
  readonly config: ModprobeConfig;
}

/** One module in the order it is to be loaded, before anybody looked whether it already is. */
export interface ProbeItem {
  readonly module: ModuleName;
  /** As the tree or the softdep line names it; differs from `module` only when nothing by that name exists. */
  readonly name: string;
  /** The alias a softdep named it by: options lines for that alias count, too. */
  readonly alias?: string;
  readonly role: Role;
  readonly neededBy?: ModuleName;
  readonly required: boolean;
  /** Its install command is not run: it has softdeps, or the person said so. */
  readonly ignoresCommand: boolean;
  readonly isMissing: boolean;
}

/** What is to be loaded. */
export interface ProbeTarget {
  readonly module: ModuleName;
  /** The alias it was found by. */
  readonly alias?: string | undefined;
  /** Its install command and softdeps are left out (`modprobe -i`). */
  readonly ignoreCommand?: boolean;
}

/** Longest list made; a real one has a few dozen. Softdep loops are cut by the visited mark, this bounds everything else. */
const PROBE_LIST_MAX_ITEMS = 4096;

interface Walk {
  readonly world: ModuleWorld;
  /** By `keyOf`: the same module by its name and by an alias are two, as in libkmod. */
  readonly visited: Set<string>;
  /** Keys of the target and its dependencies: they stay required where a softdep names them first. */
  readonly required: ReadonlySet<string>;
  readonly items: ProbeItem[];
}

interface Place {
  readonly role: Role;
  readonly neededBy?: ModuleName;
}

/** A module as it was asked for. */
interface Named {
  readonly module: ModuleName;
  readonly alias?: string | undefined;
}

/**
 * Target → every module modprobe would go through, in order: dependencies deepest first, each with its softdeps around it, then
 * the target with its own. A softdep's own dependencies and softdeps come with it; a module is entered once as target or
 * softdep, and may stand again where it is a dependency of a later one (a loader then finds it already there).
 * Source: modprobe(8), modprobe.d(5) softdep; kmod's behaviour as observed.
 */
export function listProbe(target: ProbeTarget, world: ModuleWorld): readonly ProbeItem[] {
  const required = new Set([keyOf(target), ...(world.tree.module(target.module)?.dependencies ?? [])]);
  const walk: Walk = { world, visited: new Set(), required, items: [] };
  enter(target, { role: 'target' }, walk, target.ignoreCommand === true);
  return walk.items;
}

function keyOf({ module, alias }: Named): string {
  return alias === undefined ? module : `${module}\\${alias}`;
}

function enter(named: Named, place: Place, walk: Walk, ignoreCommand: boolean): void {
  const { module } = named;
  const key = keyOf(named);
  if (walk.visited.has(key)) return;
  walk.visited.add(key);
  const dependencies = walk.world.tree.module(module)?.dependencies ?? [];
  for (const dependency of dependencies.toReversed()) {
    const role = place.role === 'target' ? 'dependency' : place.role;
    appendWithSoftdeps({ module: dependency }, { role, neededBy: module }, walk);
  }
  if (ignoreCommand) append(named, place, walk, true);
  else appendWithSoftdeps(named, place, walk);
}

function appendWithSoftdeps(named: Named, place: Place, walk: Walk): void {
  const softdep = walk.world.config.softdepOf(named.module);
  const pre = softdep === undefined ? [] : resolveSoftdeps(softdep.pre, walk);
  const post = softdep === undefined ? [] : resolveSoftdeps(softdep.post, walk);
  for (const name of pre) enterSoftdep(name, 'softdep-pre', named.module, walk);
  // A softdep that nothing answers to leaves the install command in force.
  const hasSoftdeps = [...pre, ...post].some(({ found }) => found.length > 0);
  append(named, place, walk, hasSoftdeps);
  for (const name of post) enterSoftdep(name, 'softdep-post', named.module, walk);
}

interface SoftdepName {
  readonly name: string;
  readonly found: readonly Named[];
}

/** Softdeps are names or aliases; an alias may stand for several modules. A name that nothing answers to stays in the plan as missing. */
function resolveSoftdeps(names: readonly string[], { world }: Walk): readonly SoftdepName[] {
  return names.map(name => ({
    name,
    found: lookupModules(name, world.tree, world.config).map(match => ({
      module: match.module,
      alias: aliasOf(name, match),
    })),
  }));
}

function enterSoftdep({ name, found }: SoftdepName, role: Role, neededBy: ModuleName, walk: Walk): void {
  for (const named of found) enter(named, { role, neededBy }, walk, false);
  if (found.length === 0) {
    const module = moduleName(name);
    walk.items.push({ module, name, role, neededBy, required: false, ignoresCommand: false, isMissing: true });
  }
}

function append(named: Named, place: Place, walk: Walk, ignoresCommand: boolean): void {
  const { module, alias } = named;
  const { world, items, required } = walk;
  if (items.length >= PROBE_LIST_MAX_ITEMS) return;
  const isKnown =
    world.tree.module(module) !== undefined ||
    world.tree.isBuiltin(module) ||
    (world.config.installCommand(module) !== undefined && !ignoresCommand);
  items.push({
    ...place,
    module,
    name: module,
    ...(alias === undefined ? {} : { alias }),
    required: required.has(keyOf(named)),
    ignoresCommand,
    isMissing: !isKnown,
  });
}
