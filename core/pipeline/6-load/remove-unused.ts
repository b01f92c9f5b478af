import { boundDevices } from '../../kernel/driver-modules.ts';
import { readModuleRestrictions } from '../../kernel/restrictions.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { planRemove } from '../5-resolve/plan-remove.ts';
import type { ModuleWorld } from '../5-resolve/probe-list.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { executeRemoval, isFailedRemoval, type ModuleRemover } from './execute-removal.ts';
import { readLoaded } from './read-loaded.ts';
import { removalMeaning } from './removal-meaning.ts';

/** What became of a wish to remove a module that nobody is said to use. */
export type UnusedRemoval = { readonly unloaded: readonly ModuleName[] } | { readonly refused: string };

/**
 * Removes this one module, by its remove command if it has one, if nothing uses it: no module, no process or mount (its reference count),
 * and no device by a driver of its. The last is not counted by the kernel, which would take the driver from the device. Unlike
 * `modprobe -r` it leaves what the module needed: whoever loaded that may want it still.
 */
export async function removeUnused(
  module: ModuleName,
  world: ModuleWorld,
  roots: SystemRoot,
  remover: ModuleRemover,
): Promise<UnusedRemoval> {
  const bound = boundDevices(roots).find(device => device.module === module);
  if (bound !== undefined) return { refused: `${bound.devpath} is driven by ${module} (${bound.driver})` };
  const plan = planRemove(module, world, { loaded: readLoaded(roots) });
  const own = plan.steps.find(step => step.module === module);
  if (own === undefined || own.kind === 'not-loaded') return { unloaded: [] };
  if (own.kind === 'builtin') return { refused: `${module} is built in` };
  if (own.kind === 'in-use') {
    const holders = own.holders.length === 0 ? 'a process or a mount' : own.holders.join(', ');
    return { refused: `${module} is used by ${holders}` };
  }
  const alone = { ...plan, steps: plan.steps.filter(step => step.module === module) };
  const outcomes = await executeRemoval(alone, remover, { isDryRun: false });
  const failed = outcomes.find(isFailedRemoval);
  if (failed?.kind === 'refused' && failed.module === module)
    return { refused: `${module}: ${removalMeaning(failed.errno, readModuleRestrictions(roots))}` };
  if (failed?.module === module) return { refused: `the remove command of ${module} failed` };
  return { unloaded: outcomes.flatMap(({ kind, module: name }) => (kind === 'removed' ? [name] : [])) };
}
