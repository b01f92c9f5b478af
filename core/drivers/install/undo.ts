import { listSysModules, readHolders, readInitState, readRefcnt } from '../../kernel/sys-module.ts';
import { planRemove, type LoadedFacts } from '../../pipeline/5-resolve/plan-remove.ts';
import { executeRemoval, isFailedRemoval, KernelRemover } from '../../pipeline/6-load/execute-removal.ts';
import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import { end, keep } from './carry-out.ts';
import { removeBuilds } from './dkms.ts';
import { removeWorkFolders } from './fetch-packages.ts';
import { indexModules } from './index-modules.ts';
import { removeFiles } from './install-file.ts';
import type { InstallHands } from './install-hands.ts';
import { purgePackages } from './install-packages.ts';
import type { Transaction } from './transaction.ts';

/** What an undoing came to, and what of it could not be taken back. */
export interface Undone {
  readonly transaction: Transaction;
  readonly left: readonly string[];
}

/**
 * Takes back what a transaction did, last things first: its modules out of the kernel, its packages and files, then the indexes. A
 * package that was only replaced stays in its new version, and taint stays until the machine starts anew; both are told.
 */
export async function undo(transaction: Transaction, goal: 'undone' | 'removed', hands: InstallHands): Promise<Undone> {
  const { roots, tell } = hands;
  const left: string[] = [];
  await keep({ ...transaction, state: 'open', undoing: goal }, hands);
  for (const name of roots.isRunningSystem ? transaction.modules.toReversed() : []) {
    const module = moduleName(name);
    const loaded = loadedModules(roots.sys);
    if (!loaded.has(module)) continue;
    tell(`unloading ${module}`);
    const plan = planRemove(module, hands.openWorld(transaction.release), { loaded });
    const outcomes = await executeRemoval(plan, new KernelRemover(roots, { force: false }), { isDryRun: false });
    const failed = outcomes.find(outcome => isFailedRemoval(outcome));
    const isInUse = plan.steps.some(({ kind }) => kind === 'in-use');
    if (failed !== undefined || isInUse) left.push(`${module} is still loaded: it is in use`);
  }
  await removeBuilds(transaction, hands);
  tell('taking its packages away');
  const trouble = await purgePackages(transaction, hands);
  if (trouble !== undefined) left.push(trouble);
  removeFiles(transaction, hands);
  for (const { name, before, version } of transaction.packages)
    if (before !== undefined) left.push(`${name} stays at ${version}; it was ${before}`);
  await indexModules(roots, transaction.release);
  removeWorkFolders(roots, transaction.id);
  if (transaction.taint !== undefined)
    left.push(`the kernel stays tainted (${transaction.taint.letters}) until it starts anew`);
  const isBack = trouble === undefined;
  const { undoing: _, ...rest } = transaction;
  const ended = await end({ ...rest, state: isBack ? goal : 'failed' }, hands);
  await hands.daemonReprobes('');
  return { transaction: ended, left };
}

/** Every module the kernel has, and what holds it. */
function loadedModules(sys: string): ReadonlyMap<ModuleName, LoadedFacts> {
  return new Map(
    listSysModules(sys)
      .filter(module => readInitState(sys, module, false) !== undefined)
      .map(module => [module, { refcnt: readRefcnt(sys, module), holders: readHolders(sys, module) }]),
  );
}
