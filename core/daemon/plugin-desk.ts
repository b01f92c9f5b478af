import path from 'node:path';
import { BUNDLED } from '../../plugins/bundled.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import type { RulePolicy } from '../pipeline/4-policy/rules/rule-opinions.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';
import { KernelRemover } from '../pipeline/6-load/execute-removal.ts';
import { keepForDriver } from '../pipeline/6-load/keep-for-driver.ts';
import { removeUnused } from '../pipeline/6-load/remove-unused.ts';
import type { Ledger } from '../pipeline/7-ledger/ledger.ts';
import type { Reporter } from '../pipeline/8-report/reporter.ts';
import type { PluginActions } from '../plugin-api/context.ts';
import { SysfsFacts } from '../plugin-host/fact-reader.ts';
import { pluginDirs } from '../plugin-host/find-plugins.ts';
import { PluginHost } from '../plugin-host/plugin-host.ts';
import type { PluginListing } from '../plugin-host/plugin-seat.ts';
import { errnoText } from '../vocabulary/errno.ts';
import { parseDevpath } from '../vocabulary/devpath.ts';
import { modaliasRefusal } from '../vocabulary/modalias.ts';
import { isPlausibleModuleName, moduleName } from '../vocabulary/module-name.ts';
import { formatProblem } from '../vocabulary/place.ts';
import { devicesNow, isDriven } from './devices-now.ts';
import { DriverSearcher } from './driver-searcher.ts';
import { jailTools } from './jail-tools.ts';
import { readSettings } from './read-settings.ts';
import { WorldWatch } from './world-watch.ts';

export interface PluginDeskParts {
  readonly roots: SystemRoot;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly world: () => ModuleWorld;
  readonly release: string;
  readonly traitsOf: RulePolicy['traitsOf'];
  /** Nothing a plugin wants done is done. */
  readonly observes: boolean;
  /** A wish for a module, which goes the way of all wishes. */
  readonly load: (name: string) => Promise<void>;
}

/** Keeps the plugins while the daemon runs: reads them again when they change, and lends them the daemon's hands. */
export class PluginDesk {
  readonly #parts: PluginDeskParts;
  readonly #facts: SysfsFacts;
  readonly #host: PluginHost;
  readonly #drivers: DriverSearcher;
  #watch: WorldWatch | undefined;
  #told: readonly string[] = [];

  constructor(parts: PluginDeskParts) {
    this.#parts = parts;
    const { roots, ledger, reporter } = parts;
    this.#facts = new SysfsFacts(roots, parts.traitsOf);
    this.#drivers = new DriverSearcher({
      roots,
      release: parts.release,
      installFrom: () => readSettings(roots.configDirs).settings.driverInstallFrom,
      notice: message => void reporter.emit('notice', 'warning', message),
    });
    this.#host = new PluginHost({
      configDirs: roots.configDirs,
      stateDir: roots.stateDir,
      uid: process.getuid?.() ?? 0,
      bundled: BUNDLED,
      facts: this.#facts,
      actions: this.#actions(),
      devices: async query => devicesNow(roots, this.#facts, query),
      jail: jailTools(),
      notice: (level, message) => void reporter.emit('notice', level, message),
      incident: incident => ledger.incident(incident),
      isDriven: devpath => isDriven(roots, devpath),
      limitReached: (limit, bound) => ledger.incident({ kind: 'limit-reached', limit, bound, unit: 'calls' }),
    });
    reporter.on('received', event => this.#host.observe(event));
    reporter.on('handled', handled => this.#host.handled(handled));
    reporter.on('notice', (level, message) => this.#host.noticed(level, message));
  }

  get opinions(): OpinionSource {
    return this.#host.opinions;
  }

  list(): readonly PluginListing[] {
    return this.#host.list();
  }

  restart(name: string): Promise<boolean> {
    return this.#host.restart(name);
  }

  /** Starts what is to run; what changes from here on is noticed, also while it is being started. */
  async load(): Promise<void> {
    const watched = this.#watchFolders();
    await this.#host.load();
    this.#tellProblems();
    // A plugin that is a folder has come: what changed in it since it was read is not known.
    if (this.#folders().some(folder => !watched.includes(folder))) await this.load();
  }

  async stop(): Promise<void> {
    this.#watch?.close();
    await this.#host.stop();
  }

  #watchFolders(): readonly string[] {
    const folders = this.#folders();
    this.#watch?.close();
    this.#watch = new WorldWatch(folders, () => void this.load());
    return folders;
  }

  /** Where plugins are looked for, and where those lie that were found. */
  #folders(): readonly string[] {
    const found = this.#host
      .list()
      .flatMap(({ origin, file }) => (origin === 'bundled' || file === undefined ? [] : [path.dirname(file)]));
    return [...new Set([...pluginDirs(this.#parts.roots.configDirs), ...found])];
  }

  #tellProblems(): void {
    const { reporter, ledger } = this.#parts;
    const { problems } = this.#host;
    const texts = problems.map(problem => formatProblem(problem));
    for (const [index, text] of texts.entries()) {
      const problem = problems[index];
      if (this.#told.includes(text) || problem === undefined) continue;
      reporter.emit('notice', 'warning', text);
      ledger.incident({ kind: 'config-problem', problem });
    }
    this.#told = texts;
  }

  #actions(): PluginActions {
    const { roots, world, observes, load } = this.#parts;
    return {
      overrideDriver: async (text, driver) => {
        const devpath = parseDevpath(text);
        if (devpath === undefined) throw new RangeError(`"${text}" is no devpath`);
        if (observes) return;
        const errno = await keepForDriver(roots, devpath, driver, load);
        if (errno !== undefined) throw new Error(`${devpath}: ${errno}: ${errnoText(errno)}`);
      },
      unload: async name => {
        if (!isPlausibleModuleName(name)) return { refused: `"${name}" is no module's name` };
        if (observes) return { refused: 'usherd only observes' };
        return removeUnused(moduleName(name), world(), roots, new KernelRemover(roots, { force: false }));
      },
      findDrivers: async modalias => {
        const refusal = modaliasRefusal(modalias);
        if (refusal !== undefined) throw new RangeError(`the modalias is not looked up: ${refusal}`);
        return this.#drivers.find(modalias);
      },
    };
  }
}
