import type { SystemRoot } from '../kernel/system-root.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import { hasPlugins } from '../plugin-host/has-plugins.ts';
import type { TraitsReader } from './tree-traits.ts';

/** Plugins that are only asked what they would say: what they store is forgotten, and what they want done is not done. */
export interface AskedPlugins extends AsyncDisposable {
  /** Nobody, where there are no plugins. */
  readonly opinions: readonly OpinionSource[];
}

const NONE: AskedPlugins = { opinions: [], [Symbol.asyncDispose]: async () => undefined };

/** Devices and modules as asked plugins may see them. */
export interface AskedScope {
  readonly traitsOf: TraitsReader;
  /** Told who could not be asked. */
  readonly notice: (message: string) => void;
  /** When not, the devices are not of this machine, and nothing is known of them but what the event says. */
  readonly hasSysfs?: boolean;
}

/** Starts the plugins of a configuration, where it has any, for a process that soon ends; it does not end before they are disposed of. */
export async function openAskedPlugins(roots: SystemRoot, scope: AskedScope): Promise<AskedPlugins> {
  if (!hasPlugins(roots.configDirs)) return NONE;
  const { startAskedPlugins } = await import('./start-asked-plugins.ts');
  return startAskedPlugins(roots, scope);
}
