import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { UsherdError } from '../errors.ts';
import { interrupted } from '../drivers/install/journal.ts';
import { readBootId } from '../kernel/boot-id.ts';
import { heldBackTooLong } from '../kernel/held-back.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { coldplugOthers } from '../pipeline/1-intake/coldplug.ts';
import type { IntakeSink } from '../pipeline/1-intake/intake-sink.ts';
import { NetlinkSource, type NetlinkSourceFacts } from '../pipeline/1-intake/netlink-source.ts';
import { chooseSource, type SourceChoice } from '../pipeline/1-intake/source-choice.ts';
import { UeventQueue } from '../pipeline/1-intake/uevent-queue.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import { DeviceTable } from '../pipeline/2-device/device-table.ts';
import { deviceFromSysfs } from '../pipeline/2-device/read-device.ts';
import { PlanExecutor } from '../pipeline/6-load/execute-plan.ts';
import { KernelLoader } from '../pipeline/6-load/kernel-loader.ts';
import { Lanes } from '../pipeline/6-load/lanes.ts';
import { AwaitingBind } from '../pipeline/7-ledger/awaiting-bind.ts';
import { isDiskRefusal } from '../pipeline/7-ledger/database.ts';
import { Ledger, type EntryId } from '../pipeline/7-ledger/ledger.ts';
import { formatCount } from '../pipeline/8-report/quantity.ts';
import { Reporter } from '../pipeline/8-report/reporter.ts';
import { handleRequest, handleUevent, receiveUevent, type Parts } from '../pipeline/pipeline.ts';
import { formatProblem, type Problem } from '../vocabulary/place.ts';
import { VERSION } from '../version.ts';
import { ModuleWatch } from './module-watch.ts';
import { tellTrouble } from './ledger-trouble.ts';
import { noteSettings } from './note-settings.ts';
import { openWorld, type OpenedWorld } from './module-world.ts';
import { LossRepair } from './loss-repair.ts';
import { ruleOpinions } from '../pipeline/4-policy/rules/rule-opinions.ts';
import { opinionSources } from './observer.ts';
import { PluginDesk } from './plugin-desk.ts';
import { PolicyDesk } from './policy-desk.ts';
import { readSettings } from './read-settings.ts';
import { RejectionTally } from './rejection-tally.ts';
import { keepRequestAnswers } from './request-answers.ts';
import { Rest } from './rest.ts';
import { RetentionKeeper } from './retention-keeper.ts';
import { RuleDesk } from './rule-desk.ts';
import { policyOf, retentionOf, type Settings } from './settings.ts';
import { isSettled } from './settled.ts';
import { WorldWatch } from './world-watch.ts';

/** Longest a shutdown waits for loads in flight; a module's init may take its time, systemd's patience is 20 s (usherd.service). */
const DRAIN_MAX_MS = 15_000;

/** The record tells which devices were here and when: for root and its group. */
const STATE_DIR_MODE = 0o750;

export interface DaemonOptions {
  readonly roots: SystemRoot;
  readonly release: string;
  readonly settings: Settings;
  /** The settings as the files have them: what the command line says besides is in the run's own row. */
  readonly configured: Settings;
  readonly observes: boolean;
  /** Take events that a process had the kernel send. Only for tests in a namespace of their own. */
  readonly acceptInjected: boolean;
  readonly problems: readonly Problem[];
}

/** Counters since start. */
export interface Counts {
  received: number;
  rejected: number;
  loads: number;
  failures: number;
}

/** The running daemon: all parts built once, and what joins them to the outside. */
export class Daemon {
  readonly reporter = new Reporter();
  readonly counts: Counts = { received: 0, rejected: 0, loads: 0, failures: 0 };
  readonly startedAtMs = Date.now();
  readonly options: DaemonOptions;
  readonly ledger: Ledger;
  readonly queue: UeventQueue<EntryId>;
  readonly parts: Parts;
  #world: OpenedWorld;
  #watch: WorldWatch | undefined;
  #source: NetlinkSource | undefined;
  #coldplugging: Promise<void> | undefined;
  #isStopping = false;
  #sourceFacts: (NetlinkSourceFacts & { readonly choice: SourceChoice }) | undefined;
  readonly #rejections: RejectionTally;
  readonly #rest = new Rest();
  readonly #retention: RetentionKeeper;
  readonly #modules: ModuleWatch;
  readonly policy: PolicyDesk;
  readonly rules: RuleDesk;
  readonly plugins: PluginDesk;
  readonly losses: LossRepair;

  /** Opens the ledger and reads the module tree. @throws {UsherdError} LEDGER_BUSY, LEDGER_NEWER, FILE_UNREADABLE */
  constructor(options: DaemonOptions) {
    this.options = options;
    const { roots } = options;
    makeStateDir(roots.stateDir);
    this.ledger = Ledger.open(path.join(roots.stateDir, 'ledger.sqlite'), {
      onTrouble: tellTrouble(this.reporter),
      waitsForDisk: true,
      hidesSerials: options.settings.hashSerials,
    });
    this.#retention = new RetentionKeeper(this.ledger, this.reporter);
    this.#world = openWorld(roots, options.release);
    this.#rejections = new RejectionTally(incident => this.ledger.incident(incident));
    const loader = new KernelLoader(roots, () => this.#world.tree);
    this.#modules = new ModuleWatch(roots.proc, incident => this.ledger.incident(incident));
    this.policy = new PolicyDesk(
      {
        roots,
        ledger: this.ledger,
        reporter: this.reporter,
        settings: policyOf(options.settings),
        observes: options.observes,
      },
      () => this.#keepAnswers(),
    );
    const shared = { roots, ledger: this.ledger, reporter: this.reporter, observes: options.observes };
    const load = async (name: string): Promise<void> => {
      await handleRequest({ kind: 'kernel', alias: name }, { asker: 'kernel', asked: name, uid: 0 }, this.parts);
    };
    this.rules = new RuleDesk({ ...shared, tree: () => this.#world.tree, load });
    this.plugins = new PluginDesk({
      ...shared,
      release: options.release,
      world: () => this.#world,
      traitsOf: this.rules.policy.traitsOf,
      load,
    });
    this.parts = {
      devices: new DeviceTable(),
      readDevice: deviceFromSysfs(roots),
      world: () => this.#world,
      stateOf: module => loader.stateOf(module),
      opinions: [
        ...opinionSources(() => this.#world.config, this.policy, [ruleOpinions(this.rules.policy)]),
        this.plugins.opinions,
      ],
      gate: this.policy,
      rules: this.rules,
      executor: new PlanExecutor(this.#modules.watched(loader), { observes: options.observes }),
      lanes: new Lanes(),
      ledger: this.ledger,
      awaitingBind: new AwaitingBind(),
      reporter: this.reporter,
    };
    this.queue = new UeventQueue<EntryId>({
      handle: (event, entry) => handleUevent(event, entry, this.parts),
      failed: ({ devpath }, error) =>
        this.reporter.emit('notice', 'error', `bug: handling ${devpath} failed: ${String(error)}`),
    });
    this.losses = new LossRepair({
      roots,
      receiveBufferBytes: options.settings.receiveBufferBytes,
      queue: this.queue,
      devices: this.parts.devices,
      ledger: this.ledger,
      reporter: this.reporter,
      push: events => this.#push(events),
    });
    this.reporter.on('handled', ({ outcomes }) => {
      for (const { kind } of outcomes) {
        if (kind === 'inserted' || kind === 'ran') this.counts.loads += 1;
        if (kind === 'refused' || kind === 'failed') this.counts.failures += 1;
      }
    });
  }

  get world(): OpenedWorld {
    return this.#world;
  }

  get sourceFacts(): (NetlinkSourceFacts & { readonly choice: SourceChoice }) | undefined {
    return this.#sourceFacts;
  }

  /** Listens, so that nothing is missed from here on; then the caller calls `prepare` and `coldplug`. */
  async start(): Promise<void> {
    const { roots, settings, acceptInjected, release, observes } = this.options;
    const choice = await chooseSource(settings.source, roots);
    this.ledger.beginRun({
      bootId: readBootId(roots.proc),
      startedAtMs: this.startedAtMs,
      kernelRelease: release,
      version: VERSION,
      source: choice.group,
      mode: observes ? 'observe' : 'load',
      ...(this.#world.hasTree ? { modulesDir: this.#world.tree.dir } : {}),
    });
    noteSettings(this.options.configured, this.ledger);
    this.policy.start();
    for (const { id, candidate } of interrupted(this.options.roots.stateDir))
      this.reporter.emit(
        'notice',
        'warning',
        `installing ${candidate.id} was cut off (${id}): usher driver recover ends it`,
      );
    this.#keep(settings);
    this.rules.configure(settings);
    await this.plugins.load();
    // What was read on a thread meanwhile is taken in, so that a coldplug need not wait for it.
    await nextTurn();
    this.#source = new NetlinkSource({
      group: choice.group,
      root: roots,
      receiveBufferBytes: settings.receiveBufferBytes,
      acceptInjected,
      failed: error => this.reporter.emit('notice', 'error', error.message),
    });
    const facts = this.#source.start(this.#sink());
    this.#sourceFacts = { ...facts, choice };
    this.#reportBuffer(facts);
    this.#reportProblems([...this.options.problems, ...this.#world.problems]);
    this.#watch = new WorldWatch([...this.#world.watched, ...this.rules.watched], () => this.reload());
  }

  /** Has the module tree ready, which would otherwise hold up some event later. */
  prepare(): void {
    this.#world.tree.prepare();
    this.#rest.disturb();
  }

  /** Takes in the devices that wait for a driver, as `coldplugWaiting` has read them. It may have done so before anybody listened for what goes. */
  coldplug(waiting: readonly Uevent[]): void {
    this.#push(waiting.filter(({ devpath }) => existsSync(this.options.roots.sys + devpath)));
  }

  /** Goes through the other devices that are there already, in between what else there is to do. */
  coldplugOthers(waiting: readonly Uevent[]): void {
    this.#coldplugging = this.#coldplugOthers(waiting);
  }

  async #coldplugOthers(waiting: readonly Uevent[]): Promise<void> {
    const { roots } = this.options;
    const pushed: Promise<void>[] = [];
    for (const piece of coldplugOthers(roots, new Set(waiting.map(({ devpath }) => devpath)))) {
      const isPushed = piece.then(events => this.#push(events));
      pushed.push(isPushed);
      await Promise.race([isPushed, heldBackTooLong()]);
      // What is to be loaded for it begins.
      await nextTurn();
      if (this.#isStopping) return;
    }
    await Promise.all(pushed);
  }

  /** Reads the module tree and all configuration again, because a file changed or `uid` asked for it. What is in flight ends with the old ones. */
  reload(uid?: number): void {
    this.#watch?.close();
    this.#world = openWorld(this.options.roots, this.options.release);
    this.prepare();
    const { settings, problems } = readSettings(this.options.roots.configDirs);
    this.policy.configure(policyOf(settings));
    this.#keep(settings);
    this.rules.configure(settings);
    this.#watch = new WorldWatch([...this.#world.watched, ...this.rules.watched], () => this.reload());
    this.ledger.incident({ kind: 'reload', files: this.#world.watched, ...(uid !== undefined && { uid }) });
    noteSettings(settings, this.ledger);
    this.reporter.emit('notice', 'info', 'module indexes and configuration have changed and were read again');
    this.#reportProblems([...problems, ...this.#world.problems]);
  }

  /** Takes from the ledger what is not to be kept → how many rows went. */
  prune(uid: number): Promise<number> {
    return this.#retention.prune(uid);
  }

  /** Resolves once every event the kernel had sent by now is dealt with, and the devices that were there at the start are. */
  async settle(signal: AbortSignal): Promise<boolean> {
    await this.#coldplugging;
    return isSettled(this.queue, this.options.roots.sys, signal);
  }

  /** Stops listening, finishes what is in flight, writes the record and closes it. */
  async stop(reason: string): Promise<void> {
    this.#isStopping = true;
    this.#source?.stop();
    this.#watch?.close();
    this.#rest.stop();
    this.#retention.stop();
    this.policy.stop();
    this.losses.stop();
    await Promise.race([this.queue.settled, pause(DRAIN_MAX_MS, undefined, { ref: false })]);
    await this.plugins.stop();
    this.#rejections.flush();
    this.#modules.checkTaint();
    this.rules.stop();
    this.ledger.incident({ kind: 'shutdown', reason });
    if (this.ledger.close(reason) === 'in-memory')
      this.reporter.emit(
        'notice',
        'error',
        `${formatCount(this.ledger.stats().heldRows, 'row')} of the ledger are lost: it could not be written`,
      );
  }

  /** What the kernel's helper goes by while no daemon answers. Losing it costs nothing but that: the helper then asks modprobe. */
  #keepAnswers(): void {
    try {
      keepRequestAnswers(this.options.roots.stateDir, this.policy);
    } catch (error) {
      this.reporter.emit('notice', 'warning', (error as Error).message);
    }
  }

  #keep(settings: Settings): void {
    this.ledger.hideSerials(settings.hashSerials);
    this.#retention.configure(retentionOf(settings), settings.signKey === '' ? undefined : settings.signKey);
  }

  #sink(): IntakeSink {
    return {
      uevents: batch => this.#push(batch),
      rejected: rejection => {
        this.counts.rejected += 1;
        this.#rejections.add(rejection);
      },
      lost: loss => this.losses.lost(loss),
    };
  }

  #push(batch: readonly Uevent[]): void {
    if (this.#isStopping) return;
    this.counts.received += batch.length;
    this.#rest.disturb(batch.length);
    let refused = 0;
    for (const event of batch) {
      if (!this.queue.push(event, receiveUevent(event, this.parts))) refused += 1;
      this.#modules.event(event);
    }
    if (refused > 0) this.losses.lost({ kind: 'queue-full', dropped: BigInt(refused), atMs: Date.now() });
  }

  #reportBuffer({ how, grantedBytes, warnings }: NetlinkSourceFacts): void {
    const { receiveBufferBytes } = this.options.settings;
    // getsockopt(2) tells twice what was asked for: the kernel keeps its own book-keeping in the same buffer.
    if (how === 'SO_RCVBUF' && grantedBytes < 2 * receiveBufferBytes) {
      this.reporter.emit(
        'notice',
        'warning',
        `the kernel granted a receive buffer of ${grantedBytes / 2} bytes, not ${receiveBufferBytes}: without CAP_NET_ADMIN net.core.rmem_max is the limit`,
      );
      this.ledger.incident({
        kind: 'limit-reached',
        limit: 'net.core.rmem_max',
        bound: grantedBytes / 2,
        unit: 'bytes',
      });
    }
    for (const warning of warnings) this.reporter.emit('notice', 'warning', warning);
  }

  #reportProblems(problems: readonly Problem[]): void {
    for (const problem of problems) {
      this.reporter.emit('notice', 'warning', formatProblem(problem));
      this.ledger.incident({ kind: 'config-problem', problem });
    }
  }
}

/**
 * Makes the state folder and those above it, one by one: Node's own recursive mkdir never ends where a parent takes no folders (/proc).
 * @throws {UsherdError} FILE_UNWRITABLE
 */
function makeStateDir(dir: string): void {
  if (existsSync(dir)) return;
  makeStateDir(path.dirname(dir));
  try {
    mkdirSync(dir, { mode: STATE_DIR_MODE });
  } catch (error) {
    // The ledger waits in memory, and makes the folder when it can.
    if (isDiskRefusal(error)) return;
    const message = `${dir}: the state folder cannot be made: ${(error as Error).message}`;
    throw new UsherdError('FILE_UNWRITABLE', message, { dir }, error);
  }
}
