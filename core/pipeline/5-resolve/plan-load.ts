import type { Place } from '../../vocabulary/place.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { normaliseAlias } from '../../kmod/lookup/normalise-alias.ts';
import type { LoadPlan, Step } from './load-plan.ts';
import { listProbe, type ModuleWorld, type ProbeItem } from './probe-list.ts';

/** How far a module is. Source: /sys/module/NAME/initstate; `builtin` by modules.builtin. */
export type ModuleState = 'live' | 'coming' | 'going' | 'builtin';

/** Module → how far it is; undefined when it is not there. A map of what was read before, or whatever reads it now. */
export interface ModuleStates {
  get(module: ModuleName): ModuleState | undefined;
}

export interface PlanOptions {
  /** Which modules are there already; each in the plan is looked up as its turn comes. */
  readonly states: ModuleStates;
  /** The alias the target was found by: its `options` lines count too. */
  readonly alias?: string;
  /** Parameters of the command line or of rules, for the target only. */
  readonly parameters?: string;
  /** Where these stand written, when they do. */
  readonly parameterPlaces?: readonly Place[];
  /** Leave out the target's install command and softdeps (`modprobe -i`). */
  readonly ignoreCommand?: boolean;
  /** Plan as if nothing were loaded (`modprobe -D`). */
  readonly ignoreLoaded?: boolean;
  /** Keep a module that stands in the list twice (`modprobe -D` prints it twice; when it is live by then, it is left alone). */
  readonly keepRepeats?: boolean;
  /** The target's file, where it was named by it and not by a name of the tree. */
  readonly file?: string;
}

/** Target → what modprobe would do, as a value. Asks nobody but `states` and changes nothing. Source: modprobe(8). */
export function planLoad(target: ModuleName, world: ModuleWorld, options: PlanOptions): LoadPlan {
  const alias = options.alias === undefined ? undefined : (normaliseAlias(options.alias) ?? options.alias);
  const items = listProbe({ module: target, alias, ignoreCommand: options.ignoreCommand === true }, world);
  const seen = new Set<ModuleName>();
  const steps: Step[] = [];
  for (const item of items) {
    if (seen.has(item.module) && options.keepRepeats !== true) continue;
    seen.add(item.module);
    steps.push(planStep(item, world, options));
  }
  return { target, steps };
}

function planStep(item: ProbeItem, world: ModuleWorld, options: PlanOptions): Step {
  const facts = {
    module: item.module,
    role: item.role,
    required: item.required,
    ...(item.neededBy === undefined ? {} : { neededBy: item.neededBy }),
  };
  const file = item.role === 'target' ? options.file : undefined;
  if (item.isMissing && file === undefined) return { ...facts, kind: 'missing', name: item.name };
  if (options.ignoreLoaded !== true) {
    const state = options.states.get(item.module);
    if (state === 'builtin') return { ...facts, kind: 'builtin' };
    if (state === 'live') return { ...facts, kind: 'loaded' };
  }
  const { parameters, places } = parametersOf(item, world, options);
  const install = world.config.installCommand(item.module);
  if (install !== undefined && !item.ignoresCommand) {
    return { ...facts, kind: 'run-install', command: install.command, parameters, place: install.place };
  }
  if (file !== undefined) return { ...facts, kind: 'insert', path: file, parameters, optionPlaces: places };
  const entry = world.tree.module(item.module);
  if (entry === undefined) {
    return world.tree.isBuiltin(item.module)
      ? { ...facts, kind: 'builtin' }
      : { ...facts, kind: 'missing', name: item.name };
  }
  return { ...facts, kind: 'insert', path: world.tree.filePath(entry), parameters, optionPlaces: places };
}

/** Options of the module's name and of the alias it was found by, in configuration order, then the command line's. */
function parametersOf(
  item: ProbeItem,
  { config }: ModuleWorld,
  { parameters, parameterPlaces = [] }: PlanOptions,
): { parameters: string; places: readonly Place[] } {
  const isTarget = item.role === 'target';
  const directives = config.optionsOf(item.module, item.alias);
  const texts = directives.map(directive => directive.text);
  if (isTarget && parameters !== undefined && parameters !== '') texts.push(parameters);
  const places = [...directives.map(directive => directive.place), ...(isTarget ? parameterPlaces : [])];
  return { parameters: texts.join(' '), places };
}
