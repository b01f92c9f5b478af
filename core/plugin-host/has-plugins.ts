import { existsSync } from 'node:fs';
import { pluginDirs } from './find-plugins.ts';

/** Whether any plugin could run: for processes that need not ask if none is there. */
export function hasPlugins(configDirs: readonly string[]): boolean {
  return pluginDirs(configDirs).some(dir => existsSync(dir));
}
