import { existsSync, opendirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { moduleName, type ModuleName } from '../vocabulary/module-name.ts';
import { readSmallFile } from './small-file.ts';

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
  const text = readSmallFile(`${folder}/initstate`)?.trim();
  if (text !== undefined) return text === 'coming' || text === 'going' ? text : 'live';
  return existsSync(folder) ? 'coming' : undefined;
}

/** Modules that hold this one: /sys/module/NAME/holders, in directory order. */
export function readHolders(sysRoot: string, module: ModuleName): readonly ModuleName[] {
  try {
    // readdir(3) in its own order: Node's list functions sort, and lsmod(8) does not.
    using folder = opendirSync(path.join(sysRoot, 'module', module, 'holders'));
    const names: ModuleName[] = [];
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) names.push(moduleName(entry.name));
    return names;
  } catch {
    return [];
  }
}

/** How many hold the module: other modules, and open files and mounts. Undefined when it is not there, or the kernel cannot unload. */
export function readRefcnt(sysRoot: string, module: ModuleName): number | undefined {
  return readNumber(path.join(sysRoot, 'module', module, 'refcnt'));
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

function readNumber(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'latin1').trim();
    return /^-?[0-9]+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
