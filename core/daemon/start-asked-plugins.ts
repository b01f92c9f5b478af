import type { SystemRoot } from '../kernel/system-root.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import { noFacts, SysfsFacts, type FactReader } from '../plugin-host/fact-reader.ts';
import { PluginHost } from '../plugin-host/plugin-host.ts';
import { formatProblem } from '../vocabulary/place.ts';
import { BUNDLED } from '../../plugins/bundled.ts';
import { devicesNow } from './devices-now.ts';
import { jailTools } from './jail-tools.ts';
import type { TraitsReader } from './tree-traits.ts';

/** Plugins that are only asked what they would say: what they store is forgotten, and what they want done is not done. */
export interface AskedPlugins extends AsyncDisposable {
  /** Nobody, where there are no plugins. */
  readonly opinions: readonly OpinionSource[];
}

/** Devices and modules as asked plugins may see them. */
export interface AskedScope {
  readonly traitsOf: TraitsReader;
  /** Told who could not be asked. */
  readonly notice: (message: string) => void;
  /** When not, the devices are not of this machine, and nothing is known of them but what the event says. */
  readonly hasSysfs?: boolean;
}

/** Starts the plugins of a configuration to be asked. A part of its own in dist/: most systems have none. */
export async function startAskedPlugins(
  roots: SystemRoot,
  { traitsOf, notice, hasSysfs = true }: AskedScope,
): Promise<AskedPlugins> {
  const facts: FactReader = hasSysfs ? new SysfsFacts(roots, traitsOf) : noFacts(traitsOf);
  const host = new PluginHost({
    configDirs: roots.configDirs,
    stateDir: roots.stateDir,
    uid: process.getuid?.() ?? 0,
    bundled: BUNDLED,
    facts,
    actions: {
      overrideDriver: async () => undefined,
      unload: async () => ({ refused: 'nothing is done now' }),
      findDrivers: async () => [],
    },
    devices: async query => (hasSysfs ? devicesNow(roots, facts, query) : []),
    jail: jailTools(),
    notice: (level, message) => {
      if (level !== 'info') notice(message);
    },
    incident: () => undefined,
    limitReached: () => undefined,
    isDriven: () => true,
    isReadOnly: true,
    // Nobody's event waits for it.
    patience: 25,
  });
  await host.load();
  for (const problem of host.problems) notice(formatProblem(problem));
  return { opinions: [host.opinions], [Symbol.asyncDispose]: () => host.stop() };
}
