import type { ModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
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
  readonly role: Role;
  readonly neededBy?: ModuleName;
  readonly required: boolean;
  /** Its install command is not run: it has softdeps, or the person said so. */
  readonly ignoresCommand: boolean;
  readonly isMissing: boolean;
}

/** Longest list made; a real one has a few dozen. Softdep loops are cut by the visited mark, this bounds everything else. */
const PROBE_LIST_MAX_ITEMS = 4096;

interface Walk {
  readonly world: ModuleWorld;
  readonly visited: Set<ModuleName>;
  readonly items: ProbeItem[];
}

interface Place {
  readonly role: Role;
  readonly neededBy?: ModuleName;
  readonly required: boolean;
}

/**
 * Target → every module modprobe would go through, in order: dependencies deepest first, each with its softdeps around it, then
 * the target with its own. A softdep's own dependencies and softdeps come with it; a module is entered once as target or
 * softdep, and may stand again where it is a dependency of a later one (a loader then finds it already there).
 * Source: modprobe(8), modprobe.d(5) softdep; kmod's behaviour as observed.
 * @param ignoreCommand the target's install command and softdeps are left out (`modprobe -i`)
 */
export function listProbe(target: ModuleName, world: ModuleWorld, ignoreCommand = false): readonly ProbeItem[] {
  const walk: Walk = { world, visited: new Set(), items: [] };
  enter(target, { role: 'target', required: true }, walk, ignoreCommand);
  return walk.items;
}

function enter(module: ModuleName, place: Place, walk: Walk, ignoreCommand: boolean): void {
  if (walk.visited.has(module)) return;
  walk.visited.add(module);
  const dependencies = walk.world.tree.module(module)?.dependencies ?? [];
  for (const dependency of dependencies.toReversed()) {
    const role = place.role === 'target' ? 'dependency' : place.role;
    appendWithSoftdeps(dependency, { role, neededBy: module, required: place.required }, walk);
  }
  if (ignoreCommand) append(module, place, walk, true);
  else appendWithSoftdeps(module, place, walk);
}

function appendWithSoftdeps(module: ModuleName, place: Place, walk: Walk): void {
  const softdep = walk.world.config.softdepOf(module);
  const pre = softdep === undefined ? [] : resolveSoftdeps(softdep.pre, walk);
  const post = softdep === undefined ? [] : resolveSoftdeps(softdep.post, walk);
  for (const name of pre) enterSoftdep(name, 'softdep-pre', module, walk);
  append(module, place, walk, pre.length + post.length > 0);
  for (const name of post) enterSoftdep(name, 'softdep-post', module, walk);
}

interface SoftdepName {
  readonly name: string;
  readonly modules: readonly ModuleName[];
}

/** Softdeps are names or aliases; an alias may stand for several modules. A name that nothing answers to stays in the plan as missing. */
function resolveSoftdeps(names: readonly string[], { world }: Walk): readonly SoftdepName[] {
  return names.map(name => ({
    name,
    modules: lookupModules(name, world.tree, world.config).map(match => match.module),
  }));
}

function enterSoftdep({ name, modules }: SoftdepName, role: Role, neededBy: ModuleName, walk: Walk): void {
  for (const module of modules) enter(module, { role, neededBy, required: false }, walk, false);
  if (modules.length === 0) {
    const module = moduleName(name);
    walk.items.push({ module, name, role, neededBy, required: false, ignoresCommand: false, isMissing: true });
  }
}

function append(module: ModuleName, place: Place, { world, items }: Walk, ignoresCommand: boolean): void {
  if (items.length >= PROBE_LIST_MAX_ITEMS) return;
  const isKnown =
    world.tree.module(module) !== undefined ||
    world.tree.isBuiltin(module) ||
    world.config.installCommand(module) !== undefined;
  items.push({ ...place, module, name: module, ignoresCommand, isMissing: !isKnown });
}
