import { modaliasRefusal } from '../../vocabulary/modalias.ts';
import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import type { ModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import type { Device } from '../2-device/device.ts';
import type { Candidate } from './candidate.ts';

type Modules = { readonly tree: ModuleTree; readonly config: ModprobeConfig };

/** A device → every module its MODALIAS names; none when it has none. */
export function matchDevice({ modalias }: Device, modules: Modules): readonly Candidate[] {
  return modalias === undefined ? [] : matchAlias(modalias, modules);
}

/**
 * A modalias, an alias the kernel asks for, or a module's name → every module it stands for, in the order they are to be loaded: the
 * order of libkmod's look-up. None when it must not be looked up, or nothing claims it. The same module is named once, by the first
 * line that matched.
 */
export function matchAlias(alias: string, { tree, config }: Modules): readonly Candidate[] {
  if (modaliasRefusal(alias) !== undefined) return [];
  const candidates = new Map<string, Candidate>();
  for (const match of lookupModules(alias, tree, config)) {
    if (!candidates.has(match.module)) candidates.set(match.module, { module: match.module, match });
  }
  return [...candidates.values()];
}
