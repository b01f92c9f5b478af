import { readFileSync } from 'node:fs';
import path from 'node:path';
import { moduleName, type ModuleName } from '../vocabulary/module-name.ts';
import type { Problem } from '../vocabulary/place.ts';

/** One line of /proc/modules. Source: kernel/module/procfs.c, m_show. */
export interface LoadedModule {
  readonly name: ModuleName;
  readonly sizeBytes: number;
  /** -1 when the kernel cannot unload modules. */
  readonly refcnt: number;
  /** Modules that use this one; `[permanent]` is left out and told by `isPermanent`. */
  readonly holders: readonly ModuleName[];
  readonly isPermanent: boolean;
  readonly state: 'Live' | 'Loading' | 'Unloading';
  /** Taint letters (`OE`), empty when it taints nothing. */
  readonly taint: string;
}

/** Text of /proc/modules → its modules in the kernel's order (newest first), and the lines that are none. */
export function parseProcModules(
  text: string,
  file: string,
): { modules: readonly LoadedModule[]; problems: readonly Problem[] } {
  const modules: LoadedModule[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const module = parseLine(line);
    if (module !== undefined) modules.push(module);
    else problems.push({ place: { file, line: index + 1 }, message: `"${line}" is no line of /proc/modules` });
  }
  return { modules, problems };
}

/** The running kernel's modules, or undefined where it has none (built without them, or `nomodule`). */
export function readProcModules(procRoot: string): readonly LoadedModule[] | undefined {
  const file = path.join(procRoot, 'modules');
  try {
    return parseProcModules(readFileSync(file, 'latin1'), file).modules;
  } catch {
    return undefined;
  }
}

const LINE = /^(\S+) (\d+) (-?\d+|-) (\S+) (Live|Loading|Unloading) (?:0x)?[0-9a-f]+(?: \(([A-Z+-]+)\))?$/;

function parseLine(line: string): LoadedModule | undefined {
  const [, name, size, refcnt, users, state, taint] = LINE.exec(line) ?? [];
  if (name === undefined || size === undefined || users === undefined) return undefined;
  const names = users === '-' ? [] : users.split(',').filter(user => user !== '');
  return {
    name: moduleName(name),
    sizeBytes: Number(size),
    refcnt: refcnt === '-' ? -1 : Number(refcnt),
    holders: names.filter(user => user !== '[permanent]').map(user => moduleName(user)),
    isPermanent: names.includes('[permanent]'),
    state: state as LoadedModule['state'],
    taint: taint ?? '',
  };
}
