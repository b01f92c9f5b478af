import { utimesSync } from 'node:fs';
import path from 'node:path';
import { moduleNameOfPath } from '../../vocabulary/module-name.ts';
import type { FactsCache } from './facts-cache.ts';
import { madeOutputs, readMadeFile, readMadeOutputs } from './made-outputs.ts';
import type { ReadTree } from './plan-depmod.ts';
import { changedPositions, spliceOutputs } from './splice-outputs.ts';
import { writeDepmodOutputs } from './write-outputs.ts';

/**
 * Brings the files in a folder from the tree an earlier run made them of to the tree as it is, with the bytes a whole run would write;
 * `world` is all else that they are made from. Files that stay as they are are not written. False when that cannot be, and nothing was
 * done: then all is to be made anew.
 * @throws {UsherdError} FILE_UNWRITABLE
 */
export function updateOutputs(
  cache: FactsCache,
  { modules, read, names, problems }: ReadTree,
  world: string,
  dir: string,
): boolean {
  const { files, facts, made: kept } = cache.before;
  if (problems.length > 0 || read.some(({ problem }) => problem !== undefined)) return false;
  const made = readMadeOutputs(kept, world, dir);
  if (made === undefined) return false;
  const before = {
    modules: files.map((file, i) => {
      const now = modules[i];
      return now?.file === file ? now : { name: moduleNameOfPath(file), file };
    }),
    facts,
  };
  const after = { modules, facts: read.map(one => one.facts) };
  const positions = changedPositions(before, after);
  const change = { before, after, names, positions };
  const outputs = positions.length === 0 ? [] : spliceOutputs(change, name => readMadeFile(made, dir, name));
  if (outputs === undefined) return false;
  if (outputs.length > 0) writeDepmodOutputs(dir, outputs);
  const isDated = cache.filesRead > 0;
  // By its date `depmod -A` tells whether a module has changed since.
  if (isDated) utimesSync(path.join(dir, 'modules.dep'), new Date(), new Date());
  cache.save(modules, JSON.stringify(madeOutputs(made, dir, outputs, isDated ? ['modules.dep'] : [])));
  return true;
}
