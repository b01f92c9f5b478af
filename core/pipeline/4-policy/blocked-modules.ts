import type { BoundDevice, ModuleLink } from '../../kernel/driver-modules.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { namesAlias, type Subject } from './standing-decisions.ts';

/** What a set of forbids keeps from being loaded. */
export interface Blocked {
  /** A module that is forbidden, or cannot be loaded without one that is. */
  readonly has: (module: ModuleName) => boolean;
  /** Whether something that works by a module would not come up again. */
  readonly cuts: (link: ModuleLink) => boolean;
}

/** Forbids and the tree's dependencies (all of them, as modules.dep has them) → what they block. */
export function blockedBy(subjects: readonly Subject[], tree: Pick<ModuleTree, 'module'>): Blocked {
  const names = new Set(subjects.flatMap(subject => (subject.kind === 'module' ? [subject.module] : [])));
  const has = (module: ModuleName): boolean =>
    names.has(module) || (tree.module(module)?.dependencies ?? []).some(dependency => names.has(dependency));
  const cuts = ({ module, modalias }: ModuleLink): boolean =>
    has(module) || (modalias !== undefined && subjects.some(subject => namesAlias(subject, modalias)));
  return { has, cuts };
}

/** What a forbid takes from the machine, from its next start or the next time a device is plugged in. */
export interface Impact {
  /** Devices that have their driver by what is blocked. */
  readonly devices: readonly BoundDevice[];
  /** Other modules that cannot be loaded any more, because they need what is forbidden. */
  readonly modules: readonly ModuleName[];
}

/** Forbids, what is bound now and the tree → who would lose by it. */
export function impactOf(
  subjects: readonly Subject[],
  bound: readonly BoundDevice[],
  tree: Pick<ModuleTree, 'module' | 'moduleNames'>,
): Impact {
  const blocked = blockedBy(subjects, tree);
  const named = new Set(subjects.flatMap(subject => (subject.kind === 'module' ? [subject.module] : [])));
  return {
    devices: bound.filter(blocked.cuts),
    modules: tree
      .moduleNames()
      .filter(module => !named.has(module) && blocked.has(module))
      .toSorted(),
  };
}
