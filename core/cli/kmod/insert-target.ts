import { existsSync } from 'node:fs';
import path from 'node:path';
import { aliasOf } from '../../kmod/lookup/module-match.ts';
import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import { moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import type { AskedFor } from './modprobe-policy.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** One module to be inserted. */
export interface InsertTarget {
  readonly module: ModuleName;
  /** The alias it was found by. */
  readonly alias?: string | undefined;
  /** Its file, where that was named. */
  readonly file?: string;
  /** What was asked for, and what named the module. */
  readonly asked: AskedFor;
}

/** A word → the modules it means: a file when it looks like a path, else what the look-up finds. */
export function insertTargets(word: string, { world }: Pick<ModprobeRun, 'world'>): readonly InsertTarget[] {
  if (word.startsWith('/') || word.startsWith('./')) {
    if (!existsSync(word)) return [];
    return [fileTarget(word)];
  }
  return lookupModules(word, world.tree, world.config).map(match => ({
    module: match.module,
    alias: aliasOf(word, match),
    asked: { word, match },
  }));
}

/** A module file as a target: its name is the module's. */
export function fileTarget(word: string): InsertTarget & { readonly file: string } {
  const [module, file] = [moduleNameOfPath(word), path.resolve(word)];
  const match = { module, source: 'modules.dep', pattern: module, place: { file } } as const;
  return { module, file, asked: { word: module, match } };
}
