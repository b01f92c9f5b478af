import path from 'node:path';
import { readSettings } from '../../daemon/read-settings.ts';
import { ruleDirs } from '../../daemon/rule-dirs.ts';
import type { Caller, OptionValues } from '../verb.ts';

/** Folders rules are read from: those of --rules-dir, else all that count. */
export function namedDirs(options: OptionValues, { roots }: Caller): readonly string[] {
  const named = options['rulesDir'];
  if (Array.isArray(named) && named.length > 0) return named.map(dir => path.resolve(String(dir)));
  return ruleDirs(roots, readSettings(roots.configDirs).settings);
}
