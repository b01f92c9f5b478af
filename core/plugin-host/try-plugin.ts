import { matchingName, matchingPattern } from '../plugin-api/pattern.ts';
import type { Json, Need, PluginContext, StopReason, UnloadAnswer } from '../plugin-api/context.ts';
import type { PluginDevice, PluginEvent } from '../plugin-api/device.ts';
import type { Filter } from '../plugin-api/filter.ts';
import type { Hook, PluginAsker, PluginHandled, PluginQuestion, PluginReport, Proposal } from '../plugin-api/hooks.ts';
import type { Plugin } from '../plugin-api/plugin.ts';
import type { SchemaResult } from '../plugin-api/standard-schema.ts';
import type { PluginVerdict } from '../plugin-api/verdict.ts';

/** The world a plugin is tried in. Everything has a value that works. */
export interface TryOptions {
  /** As the `[settings]` of its file would say; checked by the plugin's own schema. */
  readonly settings?: unknown;
  /** What `context.devices` answers. */
  readonly devices?: readonly PluginDevice[];
  /** What the store holds from earlier starts. */
  readonly store?: Readonly<Record<string, Json>>;
  /** What the administrator granted; by default all the plugin needs. */
  readonly grants?: readonly Need[];
  /** What comes of a wish to remove a module; by default it is removed. */
  readonly unload?: (module: string) => UnloadAnswer;
}

/** Something the plugin wanted to be done to the machine. Here it is only noted. */
export type TriedAction =
  | { readonly kind: 'overrideDriver'; readonly devpath: string; readonly driver: string | undefined }
  | { readonly kind: 'unload'; readonly module: string };

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

/** A plugin that runs, and what can be asked of it. Each call goes to the hooks whose filter lets it through, as in the daemon. */
export interface TriedPlugin {
  /** The strictest verdict of its hooks, or undefined when all abstain. What a hook throws is thrown. */
  opine(question: ShortQuestion): Promise<PluginVerdict | undefined>;
  observe(event: Partial<PluginEvent> & Pick<PluginEvent, 'action' | 'devpath'>): Promise<void>;
  nomatch(device: Partial<PluginDevice>): Promise<readonly Proposal[]>;
  afterLoad(handled: PluginHandled): Promise<void>;
  report(report: PluginReport): Promise<void>;
  /** Calls what `onStop` was given; the signal is aborted. */
  stop(reason?: StopReason): Promise<void>;
  readonly hooks: readonly Hook[];
  /** `warn: text`, in order. */
  readonly log: readonly string[];
  readonly actions: readonly TriedAction[];
  readonly store: ReadonlyMap<string, Json>;
  /** What `context.devices` answers; to be changed in the course of a test. */
  devices: readonly PluginDevice[];
}

/**
 * Starts a plugin without a daemon: for its own tests.
 * @throws {Error} when its settings are not what its schema wants: every complaint, with where it is
 */
export async function startPlugin<Settings>(plugin: Plugin<Settings>, options: TryOptions = {}): Promise<TriedPlugin> {
  const settings = await checkedSettings(plugin, options.settings ?? {});
  const trial = new Trial(plugin.needs ?? [], options);
  const made = await plugin.setup?.(trial.context(settings));
  trial.hooks.push(...(plugin.hooks ?? []), ...(made ?? []));
  return trial;
}

const STRICTEST_FIRST = ['deny', 'hold', 'replace', 'allow'];

class Trial implements TriedPlugin {
  readonly hooks: Hook[] = [];
  readonly log: string[] = [];
  readonly actions: TriedAction[] = [];
  readonly store: Map<string, Json>;
  devices: readonly PluginDevice[];
  readonly #grants: readonly Need[];
  readonly #unload: (module: string) => UnloadAnswer;
  readonly #ended = new AbortController();
  readonly #cleaners: ((reason: StopReason) => void | Promise<void>)[] = [];

  constructor(needs: readonly Need[], { devices = [], store = {}, grants = needs, unload }: TryOptions) {
    this.devices = devices;
    this.store = new Map(Object.entries(store));
    this.#grants = grants.filter(grant => needs.includes(grant));
    this.#unload = unload ?? (module => ({ unloaded: [module] }));
  }

  context<Settings>(settings: Settings): PluginContext<Settings> {
    const { store, log } = this;
    const say =
      (level: string) =>
      (message: string): void =>
        void log.push(`${level}: ${message}`);
    return {
      settings,
      signal: this.#ended.signal,
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
      },
      devices: query =>
        Promise.resolve(
          this.devices.filter(({ subsystem }) => query?.subsystem === undefined || query.subsystem === subsystem),
        ),
      onStop: clean => void this.#cleaners.push(clean),
    };
  }

  async opine({
    module,
    role,
    device,
    event,
    asker,
    candidate,
    traits,
  }: ShortQuestion): Promise<PluginVerdict | undefined> {
    const question: PluginQuestion = {
      module,
      role: role ?? 'target',
      asker: asker ?? { kind: 'device', device: whole(device), ...(event === undefined ? {} : { event }) },
      candidate: candidate ?? { module },
      ...(traits === undefined ? {} : { traits }),
    };
    const verdicts: PluginVerdict[] = [];
    for (const hook of this.hooks) {
      if (hook.kind !== 'opine' || !asksFor(hook.filter, factsOf(question))) continue;
      const verdict = await hook.call(question, this.#ended.signal);
      if (verdict !== undefined) verdicts.push(verdict);
    }
    return verdicts.toSorted((a, b) => STRICTEST_FIRST.indexOf(a.verdict) - STRICTEST_FIRST.indexOf(b.verdict))[0];
  }

  async observe(event: Partial<PluginEvent> & Pick<PluginEvent, 'action' | 'devpath'>): Promise<void> {
    const full: PluginEvent = { subsystem: 'platform', env: {}, origin: 'kernel', receivedAtMs: Date.now(), ...event };
    for (const hook of this.hooks)
      if (hook.kind === 'observe' && asksFor(hook.filter, eventFacts(full))) await hook.call(full, this.#ended.signal);
  }

  async nomatch(device: Partial<PluginDevice>): Promise<readonly Proposal[]> {
    const asking = whole(device);
    const event: PluginEvent = {
      action: 'add',
      devpath: asking.devpath,
      subsystem: asking.subsystem,
      env: {},
      origin: 'kernel',
      receivedAtMs: Date.now(),
    };
    const proposals: Proposal[] = [];
    for (const hook of this.hooks) {
      if (hook.kind !== 'nomatch' || !asksFor(hook.filter, { ...eventFacts(event), modalias: asking.modalias }))
        continue;
      const proposal = await hook.call(event, asking, this.#ended.signal);
      if (proposal !== undefined) proposals.push(proposal);
    }
    return proposals;
  }

  async afterLoad(handled: PluginHandled): Promise<void> {
    for (const hook of this.hooks)
      if (hook.kind === 'afterLoad' && asksFor(hook.filter, handledFacts(handled)))
        await hook.call(handled, this.#ended.signal);
  }

  async report(report: PluginReport): Promise<void> {
    const facts = report.kind === 'handled' ? handledFacts(report) : {};
    for (const hook of this.hooks)
      if (hook.kind === 'report' && asksFor(hook.filter, facts)) await hook.call(report, this.#ended.signal);
  }

  async stop(reason: StopReason = 'shutdown'): Promise<void> {
    this.#ended.abort();
    for (const clean of this.#cleaners) await clean(reason);
  }

  #act(need: Need, action: TriedAction): void {
    if (!this.#grants.includes(need)) throw new Error(`the plugin was not granted "${need}"`);
    this.actions.push(action);
  }
}

function whole(device: Partial<PluginDevice> = {}): PluginDevice {
  return { devpath: '/devices/made-up', subsystem: 'platform', ...device };
}

interface Facts {
  readonly action?: string;
  readonly subsystem?: string | undefined;
  readonly modalias?: string | undefined;
  readonly devpath?: string | undefined;
  readonly modules?: readonly string[];
  readonly role?: string;
  readonly asker?: string;
}

function factsOf({ module, role, asker }: PluginQuestion): Facts {
  const device = asker.kind === 'device' ? asker.device : undefined;
  return {
    modules: [module],
    role,
    asker: asker.kind,
    subsystem: device?.subsystem,
    modalias: device?.modalias,
    devpath: device?.devpath,
  };
}

function eventFacts({ action, subsystem, devpath, env }: PluginEvent): Facts {
  return { action, subsystem, devpath, modalias: env['MODALIAS'] };
}

function handledFacts({ event, device, candidates }: PluginHandled): Facts {
  return { ...eventFacts(event), modalias: device.modalias, modules: candidates };
}

function asksFor(filter: Filter = {}, facts: Facts): boolean {
  const has = (patterns: readonly string[] | undefined, text: string | undefined): boolean =>
    patterns === undefined || (text !== undefined && matchingPattern(patterns, text) !== undefined);
  const { module: modules } = filter;
  return (
    has(filter.action, facts.action) &&
    has(filter.subsystem, facts.subsystem) &&
    has(filter.modalias, facts.modalias) &&
    has(filter.devpath, facts.devpath) &&
    has(filter.role, facts.role) &&
    has(filter.asker, facts.asker) &&
    (modules === undefined || (facts.modules ?? []).some(name => matchingName(modules, name) !== undefined))
  );
}

async function checkedSettings<Settings>({ name, settings }: Plugin<Settings>, value: unknown): Promise<Settings> {
  if (settings === undefined) return undefined as Settings;
  const result: SchemaResult<Settings> = await settings['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const lines = result.issues.map(({ message, path = [] }) => {
    const where = path.map(part => String(typeof part === 'object' ? part.key : part)).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  throw new Error(`${name}: ${lines.join('\n')}`);
}
