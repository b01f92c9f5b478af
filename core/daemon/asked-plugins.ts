import type { SystemRoot } from '../kernel/system-root.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import type { RulePolicy } from '../pipeline/4-policy/rules/rule-opinions.ts';
import { hasPlugins } from '../plugin-host/has-plugins.ts';
import type { FactReader } from '../plugin-host/fact-reader.ts';

/** Plugins that are only asked what they would say: what they store is forgotten, and what they want done is not done. */
export interface AskedPlugins extends AsyncDisposable {
  /** Nobody, where there are no plugins. */
  readonly opinions: readonly OpinionSource[];
}

const NONE: AskedPlugins = { opinions: [], [Symbol.asyncDispose]: async () => undefined };

/**
 * Starts the plugins of a configuration for a process that soon ends; it does not end before they are disposed of. What cannot be started is told by `notice`. Without `sysfs` the
 * devices are not of this machine, and nothing is known of them but what the event says.
 */
export async function openAskedPlugins(
  roots: SystemRoot,
  {
    traitsOf,
    notice,
    hasSysfs = true,
  }: {
    readonly traitsOf: RulePolicy['traitsOf'];
    readonly notice: (message: string) => void;
    readonly hasSysfs?: boolean;
  },
): Promise<AskedPlugins> {
  if (!hasPlugins(roots.configDirs)) return NONE;
  const { PluginHost } = await import('../plugin-host/plugin-host.ts');
  const { noFacts, SysfsFacts } = await import('../plugin-host/fact-reader.ts');
  const { BUNDLED } = await import('../../plugins/bundled.ts');
  const { jailTools } = await import('./jail-tools.ts');
  const { devicesNow } = await import('./devices-now.ts');
  const { formatProblem } = await import('../vocabulary/place.ts');
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
