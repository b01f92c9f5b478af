import type { Need, PluginContext } from './context.ts';
import type { Hook } from './hooks.ts';
import type { StandardSchema } from './standard-schema.ts';

/** Major version of this interface. A plugin names the one it was written for. */
export const PLUGIN_API = 1;

/** A plugin: a value with a name and hooks. It keeps no state outside of what `setup` makes, so that it can be stopped and started. */
export interface Plugin<Settings = unknown> {
  /** Small letters, digits and dashes: `usb-trust`. Its settings are in `plugins/NAME.toml`. */
  readonly name: string;
  readonly api: typeof PLUGIN_API;
  readonly version?: string;
  /** One line for `usher plugin list`. */
  readonly summary?: string;
  readonly needs?: readonly Need[];
  /** Calls of equal kind go to plugins in order of this number, then of their names; 50 when it is absent. */
  readonly order?: number;
  /** What the settings must be; without it a plugin takes none. */
  readonly settings?: StandardSchema<Settings>;
  /** Hooks that need nothing but what they are called with. */
  readonly hooks?: readonly Hook[];
  /** Makes the hooks from settings, store and the rest; called once for each start. */
  readonly setup?: (context: PluginContext<Settings>) => readonly Hook[] | Promise<readonly Hook[]>;
}

/** Says that a value is a plugin, so that an editor knows what may stand in it. It gives it back as it is. */
export function definePlugin<Settings = undefined>(plugin: Plugin<Settings>): Plugin<Settings> {
  return plugin;
}
