import type { SystemRoot } from '../kernel/system-root.ts';
import { hasPlugins } from '../plugin-host/has-plugins.ts';
import type { AskedPlugins, AskedScope } from './start-asked-plugins.ts';

const NONE: AskedPlugins = { opinions: [], [Symbol.asyncDispose]: async () => undefined };

/** Starts the plugins of a configuration, where it has any, for a process that soon ends; it does not end before they are disposed of. */
export async function openAskedPlugins(roots: SystemRoot, scope: AskedScope): Promise<AskedPlugins> {
  if (!hasPlugins(roots.configDirs)) return NONE;
  const { startAskedPlugins } = await import('./start-asked-plugins.ts');
  return startAskedPlugins(roots, scope);
}
