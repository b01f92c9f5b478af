import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import type { Outcome } from '../pipeline/6-load/outcome.ts';
import type { Incident } from '../pipeline/7-ledger/incident.ts';
import type { Handled } from '../pipeline/8-report/handled.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import type { Problem } from '../vocabulary/place.ts';
import { whenThere } from '../vocabulary/when-there.ts';
import { askPlugins } from './ask-plugins.ts';
import type { FactReader } from './fact-reader.ts';
import { findPlugins } from './find-plugins.ts';
import { NOBODY, wire, type WiredHook, type Wiring } from './hook-wiring.ts';
import { clean, parseProposal } from './parse-answer.ts';
import { readPluginConfig, type PluginConfig } from './plugin-config.ts';
import type { Say } from './plugin-log.ts';
import type { PluginPlace } from './plugin-place.ts';
import { CallFailure, MAILBOX_MAX, PluginSeat, type PluginListing, type SeatEvents } from './plugin-seat.ts';
import { PluginStarter, type StarterParts } from './plugin-starter.ts';
import { viewDevice, viewEvent, viewHandled } from './plugin-views.ts';
import { stopQuietly } from './running-plugin.ts';
import { fileChanges } from './trusted-files.ts';

/** What happens to plugins and goes into the record. */
type PluginIncident = Extract<Incident, { readonly kind: `plugin-${string}` | 'driver-proposed' }>;

export interface PluginHostParts extends StarterParts {
  readonly configDirs: readonly string[];
  readonly facts: FactReader;
  readonly notice: Say;
  readonly incident: (incident: PluginIncident) => void;
  readonly limitReached: (limit: string, bound: number) => void;
  /** Whether a driver has taken the device or tries it, or it is gone. */
  readonly isDriven: (devpath: Devpath) => boolean;
  /** How many times longer than they say hooks may take. */
  readonly patience?: number;
}

/** A device that no driver has taken so long after its modules were there waits for something else, in ms: probing takes less. */
const UNBOUND_AFTER_MS = 5000;
/** Devices that are looked at again at once. */
const UNBOUND_MAX = 256;
/** Proposals that are remembered so that each is told once; beyond it all are forgotten. */
const PROPOSED_MAX = 1024;

/** Finds plugins, runs them, and calls their hooks. */
export class PluginHost {
  readonly opinions: OpinionSource;
  readonly #parts: PluginHostParts;
  readonly #starter: PluginStarter;
  readonly #seats = new Map<string, PluginSeat>();
  readonly #proposed = new Set<string>();
  /** Devices whose modules are there, until it is looked whether a driver took them. */
  readonly #unbound = new Map<string, NodeJS.Timeout>();
  #wiring: Wiring = NOBODY;
  #problems: readonly Problem[] = [];
  /** Changes are made one after another. */
  #turn: Promise<void> = Promise.resolve();
  /** Whose log line is being passed on: it is not reported to itself. */
  #speaking: string | undefined;

  constructor(parts: PluginHostParts) {
    this.#parts = parts;
    this.#starter = new PluginStarter(parts, name => (level, message) => this.#say(name, level, message));
    this.opinions = { name: 'plugins', opinionsOn: question => askPlugins(question, this.#wiring, parts.facts) };
  }

  /** What was wrong with files when they were last read. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Finds the plugins and starts, replaces and stops what is new, changed or gone. What is equal runs on. */
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
    for (const timer of this.#unbound.values()) clearTimeout(timer);
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
    for (const { seat, index, filter } of this.#wiring.hooks.observe)
      if (filter.passesEvent(event)) seat.deliver(index, [viewEvent(event)]);
  }

  /** An event that asked for a driver was dealt with. */
  handled(handled: Handled): void {
    const { report, afterLoad, nomatch } = this.#wiring.hooks;
    const { outcomes, candidates, device } = handled;
    const tell = (hooks: readonly WiredHook[], extra: { readonly kind?: 'handled' } = {}): void => {
      for (const { seat, index, filter, facts } of hooks)
        if (filter.passesHandled(handled))
          seat.deliver(
            index,
            whenThere(viewHandled(handled, facts.wants, this.#parts.facts), view => [{ ...extra, ...view }]),
          );
    };
    tell(report, { kind: 'handled' });
    if (outcomes.some(({ kind }) => kind === 'inserted')) tell(afterLoad);
    if (device.modalias === undefined || device.driver !== undefined) return;
    const asked = nomatch.filter(({ filter }) => filter.passesHandled(handled));
    if (asked.length === 0) return;
    if (candidates.length === 0) this.#ask(asked, handled);
    else if (outcomes.some(isThere)) this.#askLater(asked, handled);
  }

  /** Unless a driver has it by now: one that is built in may go by the device's name, and no module claims it. */
  #ask(asked: readonly WiredHook[], handled: Handled): void {
    if (!this.#parts.isDriven(handled.device.devpath)) for (const hook of asked) void this.#propose(hook, handled);
  }

  /** A module is there, and the device may still have no driver: for want of firmware, or because it is the wrong one. */
  #askLater(asked: readonly WiredHook[], handled: Handled): void {
    const { devpath } = handled.device;
    if (this.#unbound.size >= UNBOUND_MAX || this.#unbound.has(devpath)) return;
    const ask = (): void => {
      this.#unbound.delete(devpath);
      this.#ask(asked, handled);
    };
    this.#unbound.set(devpath, setTimeout(ask, UNBOUND_AFTER_MS).unref());
  }

  /** A notice was given. */
  noticed(level: Parameters<Say>[0], message: string): void {
    for (const { seat, index } of this.#wiring.hooks.report)
      if (seat.place.name !== this.#speaking) seat.deliver(index, [{ kind: 'notice', level, message }]);
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(change, change);
    return this.#turn;
  }

  #wire(): void {
    this.#wiring = wire(this.#seats.values());
  }

  async #load(): Promise<void> {
    const { configDirs, bundled } = this.#parts;
    const found = findPlugins(configDirs, Object.keys(bundled));
    const problems = [...found.problems];
    const there = new Set(found.places.map(({ name }) => name));
    for (const [name, seat] of this.#seats) {
      if (there.has(name)) continue;
      await this.#clear(seat, 'its file is gone');
      this.#seats.delete(name);
    }
    await Promise.all(
      found.places.map(async place => {
        const isOnByItself = place.origin === 'folder';
        const { config, problems: wrong } = readPluginConfig(configDirs, place.name, { isOnByItself });
        problems.push(...wrong);
        await this.#seatPlugin(await this.#seatFor(place), config);
      }),
    );
    this.#problems = problems;
    this.#wire();
  }

  /** The plugin's seat; one that another file of the same name had is cleared first. */
  async #seatFor(place: PluginPlace): Promise<PluginSeat> {
    const seated = this.#seats.get(place.name);
    if (seated?.place.origin === place.origin && seated.place.file === place.file) return seated;
    if (seated !== undefined) await this.#clear(seated, 'another file has its name');
    return this.#newSeat(place);
  }

  #newSeat(place: PluginPlace): PluginSeat {
    const { name } = place;
    const { notice, incident, limitReached, patience } = this.#parts;
    const events: SeatEvents = {
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
    };
    const seat = new PluginSeat(place, events, patience);
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
    const trusted = this.#starter.trust(place, config);
    if ('wrong' in trusted) {
      this.#refuse(seat, trusted.wrong);
      return;
    }
    const key = JSON.stringify([trusted.hash, config.grant, config.settings]);
    if (seat.key === key) return;
    const started = await this.#starter.start(place, config, trusted, {
      ended: (running, why) => seat.ended(running, why),
    });
    seat.key = key;
    if ('wrong' in started) {
      this.#refuse(seat, started.wrong);
      return;
    }
    const { running, granted } = started;
    const { hash: before, digests } = seat;
    const old = seat.seat(running, { ...trusted, granted });
    this.#parts.incident({
      kind: 'plugin-loaded',
      name: place.name,
      version: running.facts.version ?? '',
      hash: trusted.hash,
      ...(before === undefined || old === undefined ? {} : { before, changes: fileChanges(digests, trusted.digests) }),
    });
    this.#wire();
    await stopQuietly(old, 'replaced');
  }

  /** What runs already goes on. */
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

  #say(name: string, level: Parameters<Say>[0], message: string): void {
    this.#speaking = name;
    try {
      this.#parts.notice(level, `plugin ${name}: ${message}`);
    } finally {
      this.#speaking = undefined;
    }
  }

  async #propose({ seat, index, facts: { wants } }: WiredHook, { device, event }: Handled): Promise<void> {
    const { facts, incident, notice } = this.#parts;
    const { name } = seat.place;
    // Not in the way of the event that brings it.
    await new Promise(resolve => setImmediate(resolve));
    const answer = await seat.call(index, [viewEvent(event), await viewDevice(device, wants, facts)]);
    const proposal = answer instanceof CallFailure ? undefined : parseProposal(answer);
    if (proposal === undefined) return;
    if ('nonsense' in proposal) {
      seat.nonsense(index, proposal.nonsense);
      return;
    }
    const { devpath, modalias = '' } = device;
    const key = JSON.stringify([name, modalias, proposal.title]);
    if (this.#proposed.has(key)) return;
    if (this.#proposed.size >= PROPOSED_MAX) this.#proposed.clear();
    this.#proposed.add(key);
    incident({ kind: 'driver-proposed', name, devpath, modalias, ...proposal });
    const how = proposal.command === undefined ? '' : `; ${proposal.command}`;
    notice('info', `plugin ${name}: ${devpath}: ${proposal.title}: ${proposal.reason}${how}`);
  }
}

/** Its module is in the kernel, or was to be and the kernel would not have it. */
function isThere({ kind }: Outcome): boolean {
  return kind === 'inserted' || kind === 'already-loaded' || kind === 'builtin' || kind === 'refused';
}
