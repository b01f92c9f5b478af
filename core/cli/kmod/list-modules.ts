import path from 'node:path';
import { readProcModules } from '../../kernel/proc-modules.ts';
import { readHolders } from '../../kernel/sys-module.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { ToolRun } from './tool.ts';

/**
 * Prints the modules that are loaded, in the kernel's order, as lsmod(8) does: name, size, how many hold it, which modules. All comes
 * from one reading of /proc/modules, so that a module that is just going has no odd numbers (kmod-project/kmod#41).
 */
export function listModules({ host, log, roots, has }: ToolRun): number {
  const modules = readProcModules(roots.proc);
  if (modules === undefined) {
    host.err(`Error: could not get list of modules: there is no ${path.join(roots.proc, 'modules')}\n`);
    log.explain('this kernel has no loadable modules: it was built without them, or booted with nomodule');
    return 1;
  }
  const rows = modules.map(({ name, sizeBytes, refcnt, holders, state, taint }) => ({
    name,
    sizeBytes,
    refcnt,
    holders: inFolderOrder(holders, name, roots.sys),
    state: state.toLowerCase(),
    taint,
  }));
  if (has('json')) {
    for (const row of rows) host.out(`${JSON.stringify(row)}\n`);
    return 0;
  }
  const lines = rows.map(({ name, sizeBytes, refcnt, holders }) => {
    const users = holders.length === 0 ? '' : ` ${holders.join(',')}`;
    return `${name.padEnd(19)} ${String(sizeBytes).padStart(8)}  ${refcnt}${users}\n`;
  });
  host.out(`Module                  Size  Used by\n${lines.join('')}`);
  return 0;
}

/** kmod lists several holders in the order of the folder in /sys, /proc/modules in the order they came. */
function inFolderOrder(holders: readonly ModuleName[], module: ModuleName, sysRoot: string): readonly ModuleName[] {
  if (holders.length < 2) return holders;
  const listed = readHolders(sysRoot, module);
  return listed.length === holders.length ? listed : holders;
}
