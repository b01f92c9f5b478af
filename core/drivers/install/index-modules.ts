import { existsSync } from 'node:fs';
import path from 'node:path';
import { TREE_UNPACKING, UNPACKERS } from '../../kernel/unpackers.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { readDepmodConfig } from '../../kmod/depmod/depmod-conf.ts';
import { FactsCache, factsCacheFile } from '../../kmod/depmod/facts-cache.ts';
import { planDepmodAside } from '../../kmod/depmod/plan-depmod.ts';
import { writeDepmodOutputs } from '../../kmod/depmod/write-outputs.ts';

/**
 * Writes the indexes of a release anew, as depmod -a does → its folder, or undefined when it has none. What is known of module files
 * that have not changed is taken from the state folder, as `usher depmod --incremental` does.
 */
export async function indexModules(roots: SystemRoot, release: string): Promise<string | undefined> {
  const dir = roots.modulesRoots.map(folder => path.join(folder, release)).find(folder => existsSync(folder));
  if (dir === undefined) return undefined;
  const config = readDepmodConfig({ dirs: roots.depmodDirs, files: undefined, release });
  const cache = new FactsCache(factsCacheFile(path.join(roots.stateDir, 'cache'), dir), UNPACKERS);
  const plan = await planDepmodAside(
    { dir, config, unpackers: UNPACKERS, files: undefined, symbolPrefix: undefined },
    TREE_UNPACKING,
    cache,
  );
  writeDepmodOutputs(dir, plan.outputs);
  cache.save(plan.modules, '');
  return dir;
}
