import { listSysModules, readHolders, readInitState, readRefcnt } from '../../kernel/sys-module.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { LoadedFacts } from '../5-resolve/plan-remove.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';

/** Every module the kernel has, and what holds it. */
export function readLoaded({ sys }: Pick<SystemRoot, 'sys'>): ReadonlyMap<ModuleName, LoadedFacts> {
  const loaded = new Map<ModuleName, LoadedFacts>();
  for (const module of listSysModules(sys)) {
    if (readInitState(sys, module, false) === undefined) continue;
    loaded.set(module, { refcnt: readRefcnt(sys, module), holders: readHolders(sys, module) });
  }
  return loaded;
}
