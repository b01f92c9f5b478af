import { globMatches, hasWildcard } from '../../kmod/lookup/glob.ts';
import type { ModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';
import type { Forbid } from './standing-decisions.ts';

/** How a module can come in: a device's alias, another module that needs it, its name given to modprobe, its file given to insmod. */
export const WAYS = ['device', 'dependency', 'modprobe', 'insmod'] as const;
export type Way = (typeof WAYS)[number];

/** Whatever can be written somewhere to keep a module out. */
export type MechanismKind = 'blacklist' | 'install' | 'modprobe.blacklist=' | 'module_blacklist=' | 'forbid';

/** One line somewhere that names a module, and what it really stops. */
export interface Mechanism {
  readonly kind: MechanismKind;
  readonly place?: Place;
  /** With a kernel whose helpers and udev are usherd's. */
  readonly stopsUsher: readonly Way[];
  /** With kmod's modprobe and udev's own loading. */
  readonly stopsKmod: readonly Way[];
  /** What the line cannot do although it looks so. */
  readonly note?: string;
}

/**
 * What each mechanism stops, by whom it is obeyed. Source: modprobe.d(5) blacklist, install; udev's kmod builtin;
 * Documentation/admin-guide/kernel-parameters.txt, module_blacklist.
 */
const STOPS: Readonly<Record<MechanismKind, Pick<Mechanism, 'stopsUsher' | 'stopsKmod'>>> = {
  blacklist: { stopsUsher: ['device'], stopsKmod: ['device'] },
  'modprobe.blacklist=': { stopsUsher: ['device'], stopsKmod: ['device'] },
  install: { stopsUsher: ['device', 'dependency', 'modprobe'], stopsKmod: ['device', 'dependency', 'modprobe'] },
  'module_blacklist=': { stopsUsher: WAYS, stopsKmod: WAYS },
  forbid: { stopsUsher: WAYS, stopsKmod: [] },
};

/** A module that is named anywhere, what names it, and what of that holds. */
export interface ModuleCheck {
  readonly module: ModuleName;
  readonly mechanisms: readonly Mechanism[];
  /** Ways that are shut, whoever of the two is asked. */
  readonly stopsUsher: readonly Way[];
  readonly stopsKmod: readonly Way[];
  /** Ways that one shuts and the other leaves open. */
  readonly disagree: readonly Way[];
  /** Modules that bring it in all the same, because it is stopped for devices only. */
  readonly comesWith: readonly ModuleName[];
  readonly isBuiltin: boolean;
  readonly isLoaded: boolean;
}

/** Everything that can keep a module out, as it is written and as the machine is. */
export interface MechanismSources {
  readonly config: ModprobeConfig;
  readonly forbids: readonly Forbid[];
  readonly tree: Pick<ModuleTree, 'module' | 'moduleNames' | 'isBuiltin'>;
  readonly isLoaded: (module: ModuleName) => boolean;
  /** The file the kernel command line was read from, by which its lines are told from modprobe.d's. */
  readonly commandLineFile: string;
}

/** All mechanisms → each module that any of them names, by name, with what each stops and where they disagree. */
export function checkMechanisms(sources: MechanismSources): readonly ModuleCheck[] {
  const named = new Map<ModuleName, Mechanism[]>();
  for (const [module, mechanism] of mechanismsOf(sources)) named.set(module, [...(named.get(module) ?? []), mechanism]);
  return [...named]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([module, mechanisms]) => checkOf(module, mechanisms, sources));
}

/** A forbid of an alias pattern, and whether modprobe.d says the same. */
export interface AliasCheck {
  readonly alias: string;
  readonly place?: Place;
  /** An alias line with the same pattern leads it to a module that is not there; without one a plain modprobe does not know of it. */
  readonly isExported: boolean;
}

/** The forbids of alias patterns → which of them a plain modprobe obeys too. */
export function checkAliases({ config, forbids, tree }: MechanismSources): readonly AliasCheck[] {
  const leadsNowhere = (pattern: string): boolean =>
    config.directives.some(
      line => line.kind === 'alias' && line.pattern === pattern && tree.module(line.module) === undefined,
    );
  return forbids.flatMap(({ subject, place }) => {
    if (subject.kind !== 'alias') return [];
    const { pattern } = subject;
    return [{ alias: pattern, ...(place === undefined ? {} : { place }), isExported: leadsNowhere(pattern) }];
  });
}

type NamedMechanism = readonly [module: ModuleName, mechanism: Mechanism];

function mechanismsOf({ config, forbids, tree, commandLineFile }: MechanismSources): readonly NamedMechanism[] {
  const found: NamedMechanism[] = [];
  const add = (module: ModuleName, kind: MechanismKind, place: Place | undefined, note?: string): void => {
    const facts = { kind, ...(place === undefined ? {} : { place }), ...(note === undefined ? {} : { note }) };
    found.push([module, { ...facts, ...(note === undefined ? STOPS[kind] : NOTHING) }]);
  };
  for (const line of config.directives) {
    if (line.kind === 'blacklist')
      add(line.module, line.place.file === commandLineFile ? 'modprobe.blacklist=' : 'blacklist', line.place);
    if (line.kind !== 'install' || !refuses(line.command)) continue;
    const modules = hasWildcard(line.pattern)
      ? tree.moduleNames().filter(module => globMatches(line.pattern, module))
      : [line.pattern as ModuleName];
    for (const module of modules) {
      const counting = config.installCommand(module);
      const note = counting === line ? undefined : `another install line comes first`;
      add(module, 'install', line.place, note);
    }
  }
  for (const { module, place } of config.kernelBlacklist) add(module, 'module_blacklist=', place);
  for (const { subject, place } of forbids) if (subject.kind === 'module') add(subject.module, 'forbid', place);
  return found;
}

const NOTHING: Pick<Mechanism, 'stopsUsher' | 'stopsKmod'> = { stopsUsher: [], stopsKmod: [] };

/** An install command that loads nothing. */
function refuses(command: string): boolean {
  return /^\s*(?:(?:\/usr)?\/s?bin\/)?(?:true|false|:|exit(?:\s+\d+)?)\s*(?:[;#].*)?$/.test(command);
}

function checkOf(
  module: ModuleName,
  mechanisms: readonly Mechanism[],
  { tree, isLoaded }: MechanismSources,
): ModuleCheck {
  const stopsUsher = WAYS.filter(way => mechanisms.some(mechanism => mechanism.stopsUsher.includes(way)));
  const stopsKmod = WAYS.filter(way => mechanisms.some(mechanism => mechanism.stopsKmod.includes(way)));
  const needsIt = (name: ModuleName): boolean => tree.module(name)?.dependencies.includes(module) === true;
  return {
    module,
    mechanisms,
    stopsUsher,
    stopsKmod,
    disagree: WAYS.filter(way => stopsUsher.includes(way) !== stopsKmod.includes(way)),
    comesWith: stopsUsher.includes('dependency') ? [] : tree.moduleNames().filter(needsIt).toSorted(),
    isBuiltin: tree.isBuiltin(module),
    isLoaded: isLoaded(module),
  };
}
