import { existsSync } from 'node:fs';
import { readModuleRestrictions } from '../../kernel/restrictions.ts';
import { readHolders, readInitState, readRefcnt } from '../../kernel/sys-module.ts';
import { KernelRemover } from '../../pipeline/6-load/execute-removal.ts';
import { removalMeaning } from '../../pipeline/6-load/removal-meaning.ts';
import { errnoText } from '../../vocabulary/errno.ts';
import { moduleName, moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import { openTree } from './tool-world.ts';
import { Priority } from './tool-log.ts';
import { usersText } from './users-text.ts';
import type { ToolRun } from './tool.ts';

/** rmmod(8): removes each module named; one that stays does not keep the others. */
export async function runRmmod(run: ToolRun): Promise<number> {
  const { host, log, roots, operands, has, given } = run;
  if (operands.length === 0) {
    log.error('missing module name.');
    return 1;
  }
  log.priority = Priority.error + given.filter(({ name }) => name === 'verbose').length;
  const remover = new KernelRemover(roots, { force: has('force') });
  let status = 0;
  for (const word of operands) {
    const module = existsSync(word) ? moduleNameOfPath(word) : moduleName(word.replace(/\..*$/s, ''));
    if (has('why')) {
      host.out(explainUse(module, run));
      continue;
    }
    if (!has('force') && !isFree(module, run)) {
      status = 1;
      continue;
    }
    const errno = await remover.remove(module);
    if (has('json')) host.out(`${JSON.stringify({ module, errno: errno ?? null })}\n`);
    if (errno === undefined) {
      run.acts.removed(module);
      continue;
    }
    run.acts.failed(module, `${errno}: ${errnoText(errno)}`);
    log.error(`could not remove '${module}': ${errnoText(errno)}`);
    log.error(`could not remove module ${word}: ${errnoText(errno)}`);
    log.explain(`${module}: ${removalMeaning(errno, readModuleRestrictions(roots))}`);
    if (errno === 'EAGAIN') explainUsers(module, run);
    status = 1;
  }
  return status;
}

/** Whether nothing stands against removing it, as far as one can see before the kernel is asked. What does is reported. */
function isFree(module: ModuleName, run: ToolRun): boolean {
  const { log, roots, acts } = run;
  const state = readInitState(roots.sys, module, openTree(run, {}).isBuiltin(module));
  if (state === undefined) {
    log.error(`Module ${module} is not currently loaded`);
    return false;
  }
  if (state === 'builtin') {
    log.error(`Module ${module} is builtin.`);
    return false;
  }
  const holders = readHolders(roots.sys, module);
  const refcnt = readRefcnt(roots.sys, module);
  if (holders.length > 0) {
    acts.failed(module, 'it is in use');
    log.error(`Module ${module} is in use by: ${holders.join(' ')}`);
    if (refcnt !== undefined && refcnt > holders.length) log.explain(usersText({ module, refcnt, holders }));
    return false;
  }
  if (refcnt === undefined) {
    log.error('Module unloading is not supported');
    return true;
  }
  if (refcnt <= 0) return true;
  acts.failed(module, 'it is in use');
  log.error(`Module ${module} is in use`);
  log.explain(usersText({ module, refcnt, holders }));
  return false;
}

/** Who holds a module the kernel keeps, now that it has said so. */
function explainUsers(module: ModuleName, { log, roots }: ToolRun): void {
  const refcnt = readRefcnt(roots.sys, module) ?? 0;
  if (refcnt > 0) log.explain(usersText({ module, refcnt, holders: readHolders(roots.sys, module) }));
}

function explainUse(module: ModuleName, run: ToolRun): string {
  const { roots, has } = run;
  const state = readInitState(roots.sys, module, openTree(run, {}).isBuiltin(module)) ?? 'not-loaded';
  const holders = readHolders(roots.sys, module);
  const refcnt = readRefcnt(roots.sys, module);
  if (has('json')) return `${JSON.stringify({ module, state, refcnt: refcnt ?? null, holders })}\n`;
  if (state === 'not-loaded') return `${module} is not loaded\n`;
  if (state === 'builtin') return `${module} is part of the kernel and cannot be removed\n`;
  if (refcnt === undefined) return `${module} is loaded; this kernel cannot remove modules\n`;
  return refcnt > 0 ? `${usersText({ module, refcnt, holders })}\n` : `nothing holds ${module}\n`;
}
