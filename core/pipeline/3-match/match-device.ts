import { modaliasRefusal } from '../../vocabulary/modalias.ts';
import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import type { ModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import type { ModuleTree } from '../../kmod/module-tree.ts';
import type { Device } from '../2-device/device.ts';
import type { Candidate } from './candidate.ts';

/**
 * A device → every module its MODALIAS names, in the order they are to be loaded: the order of libkmod's look-up.
 * None when it has no MODALIAS, one that must not be looked up, or one that nothing claims. The same module is named once, by
 * the first line that matched.
 */
export function matchDevice(
  { modalias }: Device,
  { tree, config }: { tree: ModuleTree; config: ModprobeConfig },
): readonly Candidate[] {
  if (modalias === undefined || modaliasRefusal(modalias) !== undefined) return [];
  const candidates = new Map<string, Candidate>();
  for (const match of lookupModules(modalias, tree, config)) {
    if (!candidates.has(match.module)) candidates.set(match.module, { module: match.module, match });
  }
  return [...candidates.values()];
}
