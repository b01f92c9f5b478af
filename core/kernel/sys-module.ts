import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { moduleName, type ModuleName } from '../vocabulary/module-name.ts';

/** How far the kernel is with a module. Source: kernel/module/main.c, show_initstate; /sys/module/NAME/initstate. */
export type InitState = 'live' | 'coming' | 'going';

/**
 * What the kernel has by this name: undefined when nothing. A folder without initstate is a builtin module that has parameters, or a
 * module that is just being made: libkmod calls it `coming` unless modules.builtin names it.
 */
export function readInitState(
  sysRoot: string,
  module: ModuleName,
  isBuiltin: boolean,
): InitState | 'builtin' | undefined {
  if (isBuiltin) return 'builtin';
  const folder = `${sysRoot}/module/${module}`;
  if (!existsSync(folder)) return undefined; // By far the most asked-for case takes one call.
  try {
    const text = readFileSync(`${folder}/initstate`, 'latin1').trim();
    return text === 'coming' || text === 'going' ? text : 'live';
  } catch {
    return 'coming';
  }
}

/** Modules that hold this one: /sys/module/NAME/holders, in directory order. */
export function readHolders(sysRoot: string, module: ModuleName): readonly ModuleName[] {
  return listNames(path.join(sysRoot, 'module', module, 'holders'));
}

/** Every name below /sys/module: loaded modules, and builtin ones that have parameters or a version. */
export function listSysModules(sysRoot: string): readonly ModuleName[] {
  return listNames(path.join(sysRoot, 'module'));
}

function listNames(folder: string): readonly ModuleName[] {
  try {
    return readdirSync(folder).map(name => moduleName(name));
  } catch {
    return [];
  }
}
