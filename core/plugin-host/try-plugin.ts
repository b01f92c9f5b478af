import type { FoundDriver, Json, Need, StopReason, UnloadAnswer } from '../plugin-api/context.ts';
import type { PluginDevice, PluginEvent } from '../plugin-api/device.ts';
import type {
  HookKind,
  PluginAsker,
  PluginHandled,
  PluginQuestion,
  PluginReport,
  Proposal,
} from '../plugin-api/hooks.ts';
import type { Plugin } from '../plugin-api/plugin.ts';
import type { PluginVerdict } from '../plugin-api/verdict.ts';
import { moduleName } from '../vocabulary/module-name.ts';
import type { HookFacts } from './describe-plugin.ts';
import { HookFilter } from './hook-filter.ts';
import { parseOpinion, parseProposal } from './parse-answer.ts';
import { startDefinition, type StartedDefinition, type Surroundings } from './start-definition.ts';

/** The world a plugin is tried in. Everything has a value that works. */
export interface TryOptions {
  /** As the `[settings]` of its file would say; checked by the plugin's own schema. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What `context.devices` answers. */
  readonly devices?: readonly PluginDevice[];
  /** What the store holds from earlier starts. */
  readonly store?: Readonly<Record<string, Json>>;
  /** What the administrator granted; by default all the plugin needs. */
  readonly grants?: readonly Need[];
  /** What comes of a wish to remove a module; by default it is removed. */
  readonly unload?: (module: string) => UnloadAnswer;
  /** What is known of drivers for a modalias; by default nothing. */
  readonly findDrivers?: (modalias: string) => readonly FoundDriver[];
}

/** Something the plugin wanted to be done to the machine. Here it is only noted. */
export type TriedAction =
  | { readonly kind: 'overrideDriver'; readonly devpath: string; readonly driver: string | undefined }
  | { readonly kind: 'unload'; readonly module: string }
  | { readonly kind: 'findDrivers'; readonly modalias: string };

/** A question in short: a module, and who asks. What is left out has the value that is most common. */
export interface ShortQuestion {
  readonly module: string;
  readonly role?: PluginQuestion['role'];
  /** The device that asks. */
  readonly device?: Partial<PluginDevice>;
  readonly event?: PluginEvent;
  /** In place of a device. */
  readonly asker?: PluginAsker;
  readonly candidate?: PluginQuestion['candidate'];
  readonly traits?: PluginQuestion['traits'];
}

/** An event in short. */
export type ShortEvent = Partial<PluginEvent> & Pick<PluginEvent, 'action' | 'devpath'>;

/** A plugin that runs, and what can be asked of it. Each call goes to the hooks whose filter lets it through, as in the daemon. */
export interface TriedPlugin {
  /** The strictest verdict of its hooks, or undefined when all abstain. What a hook throws is thrown. */
  opine(question: ShortQuestion): Promise<PluginVerdict | undefined>;
  observe(event: ShortEvent): Promise<void>;
  nomatch(device: Partial<PluginDevice>): Promise<readonly Proposal[]>;
  afterLoad(handled: PluginHandled): Promise<void>;
  report(report: PluginReport): Promise<void>;
  /** Calls what `onStop` was given; the signal is aborted. */
  stop(reason?: StopReason): Promise<void>;
  readonly hooks: readonly HookFacts[];
  /** `warn: text`, in order. */
  readonly log: readonly string[];
  readonly actions: readonly TriedAction[];
  readonly store: ReadonlyMap<string, Json>;
  /** What `context.devices` answers; to be changed in the course of a test. */
  devices: readonly PluginDevice[];
}

/**
 * Starts a plugin without a daemon: for its own tests. Definition, settings, filters and answers are looked at as the daemon does.
 * @throws {Error} what the daemon would refuse it for: a word on what is wrong with it or its settings
 */
export async function startPlugin<Settings>(plugin: Plugin<Settings>, options: TryOptions = {}): Promise<TriedPlugin> {
  const trial = new Trial(plugin.needs ?? [], options);
  const started = await startDefinition(plugin, options.settings ?? {}, trial.surroundings());
  if ('wrong' in started) throw new Error(started.wrong);
  trial.begin(started);
  return trial;
}

const STRICTEST_FIRST = ['deny', 'hold', 'replace', 'allow'];

class Trial implements TriedPlugin {
  readonly log: string[] = [];
  readonly actions: TriedAction[] = [];
  readonly store: Map<string, Json>;
  devices: readonly PluginDevice[];
  readonly #grants: readonly Need[];
  readonly #unload: (module: string) => UnloadAnswer;
  readonly #findDrivers: (modalias: string) => readonly FoundDriver[];
  readonly #signal = new AbortController().signal;
  #started: StartedDefinition | undefined;
  #filters: readonly HookFilter[] = [];

  constructor(needs: readonly Need[], { devices = [], store = {}, grants = needs, unload, findDrivers }: TryOptions) {
    this.devices = devices;
    this.store = new Map(Object.entries(store));
    this.#grants = grants;
    this.#findDrivers = findDrivers ?? (() => []);
    this.#unload = unload ?? (module => ({ unloaded: [module] }));
  }

  begin(started: StartedDefinition): void {
    this.#started = started;
    this.#filters = started.hooks.map(({ filter }) => new HookFilter(filter));
  }

  get hooks(): readonly HookFacts[] {
    return this.#started?.hooks ?? [];
  }

  surroundings(): Surroundings {
    const { store, log } = this;
    const say =
      (level: string) =>
      (message: string): void =>
        void log.push(`${level}: ${message}`);
    return {
      log: { info: say('info'), warn: say('warn'), error: say('error') },
      store: {
        get: key => Promise.resolve(structuredClone(store.get(key))),
        set: (key, value) => Promise.resolve(void store.set(key, structuredClone(value))),
        delete: key => Promise.resolve(void store.delete(key)),
        keys: () => Promise.resolve([...store.keys()]),
      },
      actions: {
        overrideDriver: async (devpath, driver) => {
          this.#act('drivers', { kind: 'overrideDriver', devpath, driver });
        },
        unload: async module => {
          this.#act('unload', { kind: 'unload', module });
          return this.#unload(module);
        },
        findDrivers: async modalias => {
          this.#act('search', { kind: 'findDrivers', modalias });
          return this.#findDrivers(modalias);
        },
      },
      devices: query =>
        Promise.resolve(
          this.devices.filter(({ subsystem }) => query?.subsystem === undefined || query.subsystem === subsystem),
        ),
    };
  }

  async opine(short: ShortQuestion): Promise<PluginVerdict | undefined> {
    const question = wholeQuestion(short);
    const { module, role } = question;
    const verdicts: PluginVerdict[] = [];
    for (const answer of await this.#call('opine', filter => filter.passesQuestion(question), [question])) {
      const opinion = parseOpinion(answer, 'plugin', { module: moduleName(module), role });
      if (opinion !== undefined && 'nonsense' in opinion) throw new Error(`it answered ${opinion.nonsense}`);
      if (opinion !== undefined) verdicts.push(answer as PluginVerdict);
    }
    return verdicts.toSorted((a, b) => STRICTEST_FIRST.indexOf(a.verdict) - STRICTEST_FIRST.indexOf(b.verdict))[0];
  }

  async observe(short: ShortEvent): Promise<void> {
    const event = wholeEvent(short);
    await this.#call('observe', filter => filter.passesEvent(event), [event]);
  }

  async nomatch(short: Partial<PluginDevice>): Promise<readonly Proposal[]> {
    const device = wholeDevice(short);
    const { devpath, subsystem } = device;
    const event = wholeEvent({ action: 'add', devpath, subsystem });
    const handled = { event, device, candidates: [] };
    const proposals: Proposal[] = [];
    for (const answer of await this.#call('nomatch', filter => filter.passesHandled(handled), [event, device])) {
      const proposal = parseProposal(answer);
      if (proposal !== undefined && 'nonsense' in proposal) throw new Error(`it answered ${proposal.nonsense}`);
      if (proposal !== undefined) proposals.push(proposal);
    }
    return proposals;
  }

  async afterLoad(handled: PluginHandled): Promise<void> {
    await this.#call('afterLoad', filter => passesHandled(filter, handled), [handled]);
  }

  async report(report: PluginReport): Promise<void> {
    await this.#call('report', filter => report.kind === 'notice' || passesHandled(filter, report), [report]);
  }

  async stop(reason: StopReason = 'shutdown'): Promise<void> {
    await this.#started?.stop(reason);
  }

  /** Calls the hooks of a kind whose filter lets it through, one after another → their answers. */
  async #call(
    kind: HookKind,
    passes: (filter: HookFilter) => boolean,
    args: readonly unknown[],
  ): Promise<readonly unknown[]> {
    const answers: unknown[] = [];
    for (const [index, filter] of this.#filters.entries())
      if (this.hooks[index]?.kind === kind && passes(filter))
        answers.push(await this.#started?.call(index, args, this.#signal));
    return answers;
  }

  #act(need: Need, action: TriedAction): void {
    if (!this.#grants.includes(need)) throw new Error(`it was not granted "${need}"`);
    this.actions.push(action);
  }
}

function passesHandled(filter: HookFilter, handled: PluginHandled): boolean {
  return filter.passesHandled({ ...handled, candidates: handled.candidates.map(module => ({ module })) });
}

function wholeDevice(device: Partial<PluginDevice> = {}): PluginDevice {
  return { devpath: '/devices/made-up', subsystem: 'platform', ...device };
}

function wholeEvent(event: ShortEvent): PluginEvent {
  return { subsystem: 'platform', env: {}, origin: 'kernel', receivedAtMs: Date.now(), ...event };
}

function wholeQuestion({ module, role, device, event, asker, candidate, traits }: ShortQuestion): PluginQuestion {
  return {
    module,
    role: role ?? 'target',
    asker: asker ?? { kind: 'device', device: wholeDevice(device), ...(event === undefined ? {} : { event }) },
    candidate: candidate ?? { module, pattern: module },
    ...(traits === undefined ? {} : { traits }),
  };
}
