import path from 'node:path';
import { readProcModules } from '../../kernel/proc-modules.ts';
import { readCoreSize, readHolders, readRefcnt } from '../../kernel/sys-module.ts';
import type { ToolRun } from './tool.ts';

/**
 * Prints the modules that are loaded, in the kernel's order, as lsmod(8) does: name, size, how many hold it, which modules. What a
 * module that is just going has no file for in /sys is taken from its line in /proc/modules (kmod prints -2 there).
 */
export function listModules({ host, log, roots, has }: ToolRun): number {
  const modules = readProcModules(roots.proc);
  if (modules === undefined) {
    host.err(`Error: could not get list of modules: there is no ${path.join(roots.proc, 'modules')}\n`);
    log.explain('this kernel has no loadable modules: it was built without them, or booted with nomodule');
    return 1;
  }
  const rows = modules.map(module => {
    const holders = readHolders(roots.sys, module.name);
    return {
      name: module.name,
      sizeBytes: readCoreSize(roots.sys, module.name) ?? module.sizeBytes,
      refcnt: readRefcnt(roots.sys, module.name) ?? module.refcnt,
      holders: holders.length > 0 ? holders : module.holders,
      state: module.state.toLowerCase(),
      taint: module.taint,
    };
  });
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
