import path from 'node:path';
import type { Need, PluginContext } from '../plugin-api/context.ts';
import { VERSION } from '../version.ts';
import { startInside } from './inside-plugin.ts';
import type { JailTools } from './jail-command.ts';
import { startJailed } from './jailed-plugin.ts';
import type { PluginConfig } from './plugin-config.ts';
import { boundedLog, type Say } from './plugin-log.ts';
import type { PluginPlace } from './plugin-place.ts';
import { FileStore } from './plugin-store.ts';
import { stopQuietly, type PluginEnds, type RunningPlugin } from './running-plugin.ts';
import type { NotStarted, Surroundings } from './start-definition.ts';
import { readTrustedFiles } from './trusted-files.ts';

/** Plugins that come with usherd: each is loaded when it is switched on. */
export type BundledPlugins = Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>;

/** What plugins are given, and what they are run with. */
export interface StarterParts {
  /** What plugins store is kept below it. */
  readonly stateDir: string;
  /** Whose files are trusted besides root's. */
  readonly uid: number;
  readonly bundled: BundledPlugins;
  readonly actions: PluginContext<unknown>['actions'];
  readonly devices: PluginContext<unknown>['devices'];
  readonly jail: JailTools;
  /** What plugins store is forgotten: for a process that only asks what they would say. */
  readonly isReadOnly?: boolean;
}

/** What would be started: the files as they are now, if nobody else than those who may could have written them. */
export interface TrustedPlugin {
  readonly hash: string;
  /** Of each of its files; none for one that comes with usherd. */
  readonly digests: ReadonlyMap<string, string>;
  /** Where the plugin's files are, without a link in the path; empty for one that comes with usherd. */
  readonly extent: string;
}

/** Starts plugins where they belong: inside or in a jail. */
export class PluginStarter {
  readonly #parts: StarterParts;
  readonly #sayAs: (name: string) => Say;
  readonly #stores = new Map<string, FileStore>();

  /** `sayAs` answers with where a plugin's log goes. */
  constructor(parts: StarterParts, sayAs: (name: string) => Say) {
    this.#parts = parts;
    this.#sayAs = sayAs;
  }

  /** Looks at who could have written a plugin and its settings. */
  trust(place: PluginPlace, { place: configPlace }: PluginConfig): TrustedPlugin | NotStarted {
    const { uid } = this.#parts;
    if (configPlace !== undefined) {
      const config = readTrustedFiles(configPlace.file, uid);
      if ('distrust' in config) return { wrong: `its settings are not to be trusted: ${config.distrust}` };
    }
    if (place.extent === undefined) return { hash: `usherd-${VERSION}`, digests: new Map(), extent: '' };
    const files = readTrustedFiles(place.extent, uid);
    return 'distrust' in files ? { wrong: `it is not to be trusted: ${files.distrust}` } : files;
  }

  /** Starts it, with the needs it was granted: one that comes with usherd has those it asks for. */
  async start(
    place: PluginPlace,
    config: PluginConfig,
    { extent }: TrustedPlugin,
    ends: PluginEnds,
  ): Promise<{ readonly running: RunningPlugin; readonly granted: readonly Need[] } | NotStarted> {
    const { name } = place;
    const bundled = this.#parts.bundled[name];
    if (place.origin === 'bundled' && bundled !== undefined) {
      const definition = (await bundled()).default;
      const granted = (definition as { readonly needs?: readonly Need[] }).needs ?? [];
      const running = await startInside(definition, config.settings, this.#surroundings(name, granted));
      return 'wrong' in running ? running : { running, granted };
    }
    const { file = '', extent: named = '' } = place;
    const { grant, settings } = config;
    const running = await startJailed(
      { file: path.join(extent, path.relative(named, file)), extent, settings, granted: grant },
      this.#surroundings(name, grant),
      ends,
      this.#parts.jail,
    );
    if ('wrong' in running) return running;
    const wrong = wrongFacts(running, place, config);
    if (wrong === undefined) return { running, granted: grant };
    await stopQuietly(running, 'removed');
    return { wrong };
  }

  #surroundings(name: string, granted: readonly Need[]): Surroundings {
    const { actions, devices, stateDir, isReadOnly = false } = this.#parts;
    const store = this.#stores.get(name) ?? new FileStore(path.join(stateDir, 'plugins'), name, { isReadOnly });
    this.#stores.set(name, store);
    const needing = (need: Need): void => {
      if (!granted.includes(need)) throw new Error(`it was not granted "${need}"`);
    };
    return {
      store,
      devices,
      log: boundedLog(this.#sayAs(name)),
      actions: {
        overrideDriver: async (devpath, driver) => {
          needing('drivers');
          await actions.overrideDriver(devpath, driver);
        },
        unload: async module => {
          needing('unload');
          return actions.unload(module);
        },
        findDrivers: async modalias => {
          needing('search');
          return actions.findDrivers(modalias);
        },
      },
    };
  }
}

/** What keeps a plugin that was set up from being used. */
function wrongFacts(
  { facts: { name, needs } }: RunningPlugin,
  place: PluginPlace,
  { grant, place: configPlace }: PluginConfig,
): string | undefined {
  if (name !== place.name) return `it calls itself "${name}" and its file is called "${place.name}": wanted the same`;
  const missing = needs.filter(need => !grant.includes(need));
  if (missing.length === 0) return undefined;
  const file = configPlace?.file ?? `plugins/${name}.toml`;
  return `it needs ${missing.join(', ')}: grant = ${JSON.stringify(missing)} in ${file} would give it`;
}
