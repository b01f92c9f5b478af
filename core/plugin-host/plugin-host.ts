import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import type { Opinion } from '../pipeline/4-policy/opinion.ts';
import type { OpinionSource, Question } from '../pipeline/4-policy/question.ts';
import type { Incident } from '../pipeline/7-ledger/incident.ts';
import type { Handled } from '../pipeline/8-report/handled.ts';
import type { Need, PluginContext, PluginLog } from '../plugin-api/context.ts';
import type { HookKind, Proposal } from '../plugin-api/hooks.ts';
import type { Problem } from '../vocabulary/place.ts';
import { VERSION } from '../version.ts';
import type { HookFacts } from './describe-plugin.ts';
import type { FactReader } from './fact-reader.ts';
import { findPlugins, type FoundPlugins } from './find-plugins.ts';
import { HookFilter } from './hook-filter.ts';
import { startInside } from './inside-plugin.ts';
import type { JailTools } from './jail-command.ts';
import { startJailed } from './jailed-plugin.ts';
import { clean, parseOpinion, parseProposal } from './parse-answer.ts';
import { readPluginConfig, type PluginConfig } from './plugin-config.ts';
import type { PluginPlace } from './plugin-place.ts';
import { CallFailure, MAILBOX_MAX, PluginSeat, stopQuietly, type PluginListing } from './plugin-seat.ts';
import { FileStore } from './plugin-store.ts';
import { viewDevice, viewEvent, viewHandled, viewQuestion } from './plugin-views.ts';
import type { RunningPlugin } from './running-plugin.ts';
import type { NotStarted, Surroundings } from './start-definition.ts';
import { readTrustedFiles } from './trusted-files.ts';

/** Lines of one plugin's log that are shown within the window; the others are counted. */
const LOG_LINES_MAX = 20;
const LOG_WINDOW_MS = 10_000;

/** What happens to plugins and goes into the record. */
type PluginIncident = Extract<Incident, { readonly kind: `plugin-${string}` | 'driver-proposed' }>;

export interface PluginHostParts {
  readonly configDirs: readonly string[];
  /** Plugins keep what they store below it. */
  readonly stateDir: string;
  /** Whose files are trusted besides root's. */
  readonly uid: number;
  readonly bundled: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>;
  readonly facts: FactReader;
  readonly actions: PluginContext<unknown>['actions'];
  readonly devices: PluginContext<unknown>['devices'];
  readonly jail: JailTools;
  readonly notice: (level: 'info' | 'warning' | 'error', message: string) => void;
  readonly incident: (incident: PluginIncident) => void;
  readonly limitReached: (limit: string, bound: number) => void;
  /** They may look and say, but what they store is forgotten: for a process that only asks what they would say. */
  readonly isReadOnly?: boolean;
}

/** A hook that is called, and where it sits. */
interface Called {
  readonly seat: PluginSeat;
  readonly index: number;
  readonly facts: HookFacts;
  readonly filter: HookFilter;
}

const NO_OPINIONS: readonly Opinion[] = [];

/** Finds plugins, runs them, calls their hooks and keeps them within their bounds. */
export class PluginHost {
  readonly #parts: PluginHostParts;
  readonly #seats = new Map<string, PluginSeat>();
  readonly #stores = new Map<string, FileStore>();
  readonly #hooks: Record<HookKind, readonly Called[]> = {
    observe: [],
    opine: [],
    nomatch: [],
    afterLoad: [],
    report: [],
  };
  /** Plugins without which nothing may load, and that do not run: what to say of each. */
  #missing: readonly { readonly by: string; readonly reason: string }[] = [];
  #problems: readonly Problem[] = [];
  /** Changes are made one after another. */
  #turn: Promise<void> = Promise.resolve();
  /** Whose log line is being passed on: it is not reported to itself. */
  #speaking: string | undefined;
  readonly #proposed = new Set<string>();
  readonly opinions: OpinionSource;

  constructor(parts: PluginHostParts) {
    this.#parts = parts;
    this.opinions = { name: 'plugins', opinionsOn: question => this.#opinionsOn(question) };
  }

  /** What was wrong with files when they were last read. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Whether anybody is asked about modules. */
  get hasOpinions(): boolean {
    return this.#hooks.opine.length > 0 || this.#missing.length > 0;
  }

  /** Finds the plugins and starts, restarts and stops what is new, changed or gone. What is equal runs on. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#load());
  }

  /** Starts one plugin anew, also out of quarantine → whether there is one of that name. */
  async restart(name: string): Promise<boolean> {
    const seat = this.#seats.get(name);
    if (seat === undefined) return false;
    seat.key = '';
    await this.load();
    return true;
  }

  async stop(): Promise<void> {
    await this.#inTurn(async () => {
      await Promise.all([...this.#seats.values()].map(seat => seat.clear('shutdown')));
      this.#wire();
    });
  }

  list(): readonly PluginListing[] {
    return [...this.#seats.values()].map(seat => seat.list()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** An event was received. */
  observe(event: Uevent): void {
    for (const { seat, index, filter } of this.#hooks.observe)
      if (filter.passesEvent(event)) seat.deliver(index, [viewEvent(event)]);
  }

  /** An event that asked for a driver was dealt with. */
  handled(handled: Handled): void {
    const { facts } = this.#parts;
    const { outcomes, candidates, device, event } = handled;
    for (const { seat, index, filter, facts: hook } of this.#hooks.report)
      if (filter.passesHandled(handled))
        seat.deliver(index, [{ kind: 'handled', ...viewHandled(handled, hook.wants, facts) }]);
    if (this.#hooks.afterLoad.length > 0 && outcomes.some(({ kind }) => kind === 'inserted')) {
      for (const { seat, index, filter, facts: hook } of this.#hooks.afterLoad)
        if (filter.passesHandled(handled)) seat.deliver(index, [viewHandled(handled, hook.wants, facts)]);
    }
    if (candidates.length > 0 || device.modalias === undefined || device.driver !== undefined) return;
    for (const called of this.#hooks.nomatch)
      if (called.filter.passesHandled(handled)) void this.#propose(called, handled, event);
  }

  /** A notice was given. */
  noticed(level: 'info' | 'warning' | 'error', message: string): void {
    for (const { seat, index } of this.#hooks.report)
      if (seat.place.name !== this.#speaking) seat.deliver(index, [{ kind: 'notice', level, message }]);
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(change, change);
    return this.#turn;
  }

  async #load(): Promise<void> {
    const { configDirs, bundled } = this.#parts;
    const found: FoundPlugins = findPlugins(configDirs, Object.keys(bundled));
    const problems = [...found.problems];
    const there = new Set(found.places.map(({ name }) => name));
    for (const [name, seat] of this.#seats) {
      if (there.has(name)) continue;
      await this.#clear(seat, 'its file is gone');
      this.#seats.delete(name);
    }
    await Promise.all(
      found.places.map(async place => {
        const { config, problems: wrong } = readPluginConfig(configDirs, place.name, {
          isOnByItself: place.origin === 'folder',
        });
        problems.push(...wrong);
        const seated = this.#seats.get(place.name);
        const seat = seated?.place.origin === place.origin && seated.place.file === place.file ? seated : undefined;
        if (seated !== undefined && seat === undefined) await this.#clear(seated, 'another file has its name');
        await this.#seatPlugin(seat ?? this.#newSeat(place), config);
      }),
    );
    this.#problems = problems;
    this.#wire();
  }

  #newSeat(place: PluginPlace): PluginSeat {
    const { name } = place;
    const { notice, incident, limitReached } = this.#parts;
    const seat: PluginSeat = new PluginSeat(place, {
      failed: (hook, why) => {
        notice('warning', `plugin ${name}: ${hook === undefined ? '' : `${hook.kind}: `}${clean(why)}`);
        incident({ kind: 'plugin-failed', name, hook: hook?.kind ?? '', reason: clean(why) });
      },
      quarantined: why => {
        notice('error', `plugin ${name} failed too often and is not called any more: usher plugin restart ${name}`);
        incident({ kind: 'plugin-quarantined', name, reason: clean(why) });
        this.#wire();
      },
      mailboxFull: () => limitReached(`calls waiting for plugin ${name}`, MAILBOX_MAX),
      restart: () => void this.restart(name),
    });
    this.#seats.set(name, seat);
    return seat;
  }

  async #clear(seat: PluginSeat, reason: string): Promise<void> {
    if (seat.running !== undefined) this.#parts.incident({ kind: 'plugin-unloaded', name: seat.place.name, reason });
    await seat.clear('removed');
    this.#wire();
  }

  async #seatPlugin(seat: PluginSeat, config: PluginConfig): Promise<void> {
    const { place } = seat;
    seat.isRequired = config.isEnabled && config.isRequired;
    seat.configuredOrder = config.order;
    if (!config.isEnabled) {
      await this.#clear(seat, 'it was switched off');
      return;
    }
    const trusted = this.#trust(place, config);
    if ('wrong' in trusted) {
      this.#refuse(seat, trusted.wrong);
      return;
    }
    const key = JSON.stringify([trusted.hash, config.grant, config.settings]);
    if (seat.key === key) return;
    const started = await this.#start(seat, config, trusted);
    seat.key = key;
    if ('wrong' in started) {
      this.#refuse(seat, started.wrong);
      return;
    }
    const before = seat.hash;
    const old = seat.seat(started);
    seat.hash = trusted.hash;
    this.#parts.incident({
      kind: 'plugin-loaded',
      name: place.name,
      version: started.facts.version ?? '',
      hash: trusted.hash,
      ...(before === undefined || old === undefined ? {} : { before }),
    });
    this.#wire();
    await stopQuietly(old, 'replaced');
  }

  #refuse(seat: PluginSeat, wrong: string): void {
    const { name, file } = seat.place;
    const goesOn = seat.running === undefined ? '' : '; the one from before runs on';
    if (seat.because !== wrong) {
      this.#parts.notice('error', `plugin ${name}${file === undefined ? '' : ` (${file})`}: ${clean(wrong)}${goesOn}`);
      this.#parts.incident({ kind: 'plugin-refused', name, reason: clean(wrong) });
    }
    seat.refuse(wrong);
    this.#wire();
  }

  /** The hash of what would run, if nobody else than those who may could have written it. */
  #trust(place: PluginPlace, { place: configPlace }: PluginConfig): { hash: string; extent: string } | NotStarted {
    const { uid } = this.#parts;
    if (configPlace !== undefined) {
      const config = readTrustedFiles(configPlace.file, uid);
      if ('distrust' in config) return { wrong: `its settings are not to be trusted: ${config.distrust}` };
    }
    if (place.extent === undefined) return { hash: `usherd-${VERSION}`, extent: '' };
    const files = readTrustedFiles(place.extent, uid);
    return 'distrust' in files ? { wrong: `it is not to be trusted: ${files.distrust}` } : files;
  }

  async #start(
    seat: PluginSeat,
    { grant, settings, place: configPlace }: PluginConfig,
    { extent }: { readonly extent: string },
  ): Promise<RunningPlugin | NotStarted> {
    const { place } = seat;
    const bundled = this.#parts.bundled[place.name];
    if (place.origin === 'bundled' && bundled !== undefined) {
      const definition = (await bundled()).default;
      const needs = (definition as { readonly needs?: readonly Need[] }).needs ?? [];
      seat.granted = needs;
      return startInside(definition, settings, this.#surroundings(place.name, needs));
    }
    const { file = '', extent: named = '' } = place;
    seat.granted = grant;
    const started = await startJailed(
      { file: path.join(extent, path.relative(named, file)), extent, settings, granted: grant },
      this.#surroundings(place.name, grant),
      { ended: (running, why) => seat.ended(running, why) },
      this.#parts.jail,
    );
    if ('wrong' in started) return started;
    const { name, needs } = started.facts;
    const missing = needs.filter(need => !grant.includes(need));
    const wrong =
      name === place.name
        ? missing.length === 0
          ? undefined
          : `it needs ${missing.join(', ')}: grant = ${JSON.stringify(missing)} in ${configPlace?.file ?? `plugins/${name}.toml`} would give it`
        : `it calls itself "${name}" and its file is called "${place.name}": wanted the same`;
    if (wrong !== undefined) {
      await stopQuietly(started, 'removed');
      return { wrong };
    }
    return started;
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
      log: this.#logOf(name),
      actions: {
        overrideDriver: async (devpath, driver) => {
          needing('drivers');
          await actions.overrideDriver(devpath, driver);
        },
        unload: async module => {
          needing('unload');
          return actions.unload(module);
        },
      },
    };
  }

  /** What a plugin logs goes where all notices go, but for what is too much. */
  #logOf(name: string): PluginLog {
    let sinceMs = 0;
    let count = 0;
    const say = (level: 'info' | 'warning' | 'error', message: string): void => {
      const nowMs = performance.now();
      if (nowMs - sinceMs > LOG_WINDOW_MS) {
        const hidden = count - LOG_LINES_MAX;
        sinceMs = nowMs;
        count = 0;
        if (hidden > 0) say('warning', `${hidden} more lines were not shown`);
      }
      count += 1;
      if (count > LOG_LINES_MAX) return;
      this.#speaking = name;
      try {
        this.#parts.notice(level, `plugin ${name}: ${clean(message)}`);
      } finally {
        this.#speaking = undefined;
      }
    };
    return {
      info: message => say('info', message),
      warn: message => say('warning', message),
      error: message => say('error', message),
    };
  }

  /** Who is called for what, as of now: in order of their numbers, then of their names. */
  #wire(): void {
    const seats = [...this.#seats.values()].toSorted(
      (a, b) => a.order - b.order || (a.place.name < b.place.name ? -1 : 1),
    );
    const called = seats.flatMap(seat =>
      seat.hooks.map((facts, index): Called => ({ seat, index, facts, filter: new HookFilter(facts.filter) })),
    );
    for (const kind of Object.keys(this.#hooks) as HookKind[])
      this.#hooks[kind] = called.filter(({ facts, seat }) => facts.kind === kind && isWired(seat, facts));
    this.#missing = seats
      .filter(({ isRequired, running }) => isRequired && running === undefined)
      .map(({ place, because = 'it is being started' }) => ({
        by: `plugin ${place.name}`,
        reason: `it is required and does not run: ${clean(because)}`,
      }));
  }

  #opinionsOn(question: Question): readonly Opinion[] | Promise<readonly Opinion[]> {
    const { opine } = this.#hooks;
    if (opine.length === 0 && this.#missing.length === 0) return NO_OPINIONS;
    const opinions: Opinion[] = this.#missing.map(({ by, reason }) => ({
      verdict: 'deny',
      module: question.module,
      by,
      reason,
    }));
    const later: Promise<Opinion | undefined>[] = [];
    for (const called of opine) {
      if (!called.filter.passesQuestion(question)) continue;
      const opinion = this.#opinionOf(called, question);
      if (opinion instanceof Promise) later.push(opinion);
      else if (opinion !== undefined) opinions.push(opinion);
    }
    if (later.length === 0) return opinions;
    return Promise.all(later).then(more => [...opinions, ...more.filter(opinion => opinion !== undefined)]);
  }

  #opinionOf(called: Called, question: Question): Opinion | undefined | Promise<Opinion | undefined> {
    const { seat, index, facts } = called;
    const answer = seat.call(index, [viewQuestion(question, facts.wants, this.#parts.facts)]);
    return answer instanceof Promise
      ? answer.then(value => this.#opinionFrom(value, called, question))
      : this.#opinionFrom(answer, called, question);
  }

  #opinionFrom(answer: unknown, { seat, index, facts }: Called, question: Question): Opinion | undefined {
    const by = `plugin ${seat.place.name}`;
    let failure = answer instanceof CallFailure ? answer : undefined;
    if (failure === undefined) {
      const opinion = parseOpinion(answer, by, question);
      if (opinion === undefined || !('nonsense' in opinion)) return withPlace(opinion, seat.place);
      failure = seat.nonsense(index, opinion.nonsense);
    }
    if (facts.onError !== 'deny') return undefined;
    return withPlace(
      { verdict: 'deny', module: question.module, by, reason: `it gave no opinion (${clean(failure.why)})` },
      seat.place,
    );
  }

  async #propose(called: Called, { device }: Handled, event: Uevent): Promise<void> {
    const { facts, incident, notice } = this.#parts;
    const { seat, index } = called;
    const { name } = seat.place;
    // Not in the way of the event that brings it.
    await new Promise(resolve => setImmediate(resolve));
    const answer = await seat.call(index, [viewEvent(event), viewDevice(device, called.facts.wants, facts)]);
    if (answer instanceof CallFailure) return;
    const proposal: Proposal | { nonsense: string } | undefined = parseProposal(answer);
    if (proposal === undefined) return;
    if ('nonsense' in proposal) {
      seat.nonsense(index, proposal.nonsense);
      return;
    }
    const { devpath, modalias = '' } = device;
    const key = JSON.stringify([name, modalias, proposal.title]);
    if (this.#proposed.has(key)) return;
    this.#proposed.add(key);
    incident({ kind: 'driver-proposed', name, devpath, modalias, ...proposal });
    const how = proposal.command === undefined ? '' : `; ${proposal.command}`;
    notice('info', `plugin ${name}: ${devpath}: ${proposal.title}: ${proposal.reason}${how}`);
  }
}

/** One in quarantine is asked for opinions only, and that is only to have its onError count. */
function isWired({ isQuarantined }: PluginSeat, { kind, onError }: HookFacts): boolean {
  return !isQuarantined || (kind === 'opine' && onError === 'deny');
}

function withPlace(opinion: Opinion | undefined, { file }: PluginPlace): Opinion | undefined {
  return opinion === undefined || file === undefined ? opinion : { ...opinion, place: { file } };
}

/** Whether any plugin could run: for processes that need not ask if none is there. */
export function hasPlugins(configDirs: readonly string[]): boolean {
  return configDirs.some(dir => existsSync(path.join(dir, 'plugins')) || existsSync(path.join(dir, 'node_modules')));
}
