import { readdirSync } from 'node:fs';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { Settings } from './settings.ts';

/** usherd's own folders of rules, strongest first. */
export function ownRuleDirs({ configDirs }: Pick<SystemRoot, 'configDirs'>): readonly string[] {
  return configDirs.map(dir => `${dir}/rules.d`);
}

/** All folders rules are read from, strongest first: usherd's own, then those of the settings. */
export function ruleDirs(
  roots: Pick<SystemRoot, 'configDirs'>,
  { rulesDirs }: Pick<Settings, 'rulesDirs'>,
): readonly string[] {
  return [...ownRuleDirs(roots), ...rulesDirs];
}

/** Whether there is any file of rules: for processes that need not read what there is none of. A folder that cannot be listed may have some. */
export function hasRules(dirs: readonly string[]): boolean {
  return dirs.some(dir => {
    try {
      return readdirSync(dir).some(name => name.endsWith('.rules'));
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  });
}
