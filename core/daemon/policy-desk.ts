import { leavesAny } from '../pipeline/5-resolve/restrict-plan.ts';
import type { Modalias } from '../vocabulary/modalias.ts';
import { readBootId } from '../kernel/boot-id.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { DecisionChange } from '../pipeline/4-policy/decision-change.ts';
import { readDecisions } from '../pipeline/4-policy/decisions-file.ts';
import { decisionsFile } from '../pipeline/4-policy/decisions-place.ts';
import {
  PendingQueue,
  PENDING_EXPIRES_AFTER_MS,
  PENDING_MAX_DEVICES,
  type PendingItem,
} from '../pipeline/4-policy/pending-queue.ts';
import type { PolicySettings } from '../pipeline/4-policy/policy-settings.ts';
import { differences, seeDevice, type SeenDevice } from '../pipeline/4-policy/seen-device.ts';
import {
  NO_DECISIONS,
  nextDeadline,
  type Moment,
  type StandingDecisions,
} from '../pipeline/4-policy/standing-decisions.ts';
import type { Device } from '../pipeline/2-device/device.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import type { Decision } from '../pipeline/4-policy/opinion.ts';
import type { EntryId, Ledger } from '../pipeline/7-ledger/ledger.ts';
import type { PendingEnd } from '../pipeline/7-ledger/pending-rows.ts';
import type { Reporter } from '../pipeline/8-report/reporter.ts';
import type { Deliberated, DeviceGate } from '../pipeline/pipeline.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import { formatProblem } from '../vocabulary/place.ts';
import { changePolicy, type Changed, type ChangeRequest } from './change-policy.ts';
import { decisionLines, lineChanges } from './decision-lines.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import { UsbKeeper } from './usb-keeper.ts';
import { WorldWatch } from './world-watch.ts';

/** Longest a timer is set for; a timer of Node holds 24 days, and looking once a day costs nothing. */
const TIMER_MAX_MS = 24 * 60 * 60_000;

/** What the desk works with. */
export interface DeskParts {
  readonly roots: SystemRoot;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly settings: PolicySettings;
  /** It only looks: nothing is let in or shut out. */
  readonly observes: boolean;
}

/** Keeps the administrators' decisions and the devices that wait for one, while the daemon runs. */
export class PolicyDesk implements PolicyInForce, DeviceGate {
  readonly pending = new PendingQueue();
  readonly file: string;
  readonly #parts: DeskParts;
  readonly #bootId: string;
  readonly #usb: UsbKeeper;
  #settings: PolicySettings;
  #decisions: StandingDecisions = NO_DECISIONS;
  #hash: string | undefined;
  #watch: WorldWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #changed: () => void;

  /** `changed` is called when other decisions or settings count than before. */
  constructor(parts: DeskParts, changed: () => void) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#usb = new UsbKeeper(parts);
    this.#changed = changed;
    this.#bootId = readBootId(parts.roots.proc);
    this.file = decisionsFile(parts.roots);
    parts.reporter.on('received', ({ action, devpath }) => {
      if (action === 'remove') this.#deviceGone(devpath);
      else this.#usb.noticed(action, devpath);
    });
  }

  readonly decisions = (): StandingDecisions => this.#decisions;
  readonly moment = (): Moment => ({ nowMs: Date.now(), bootId: this.#bootId });
  readonly see = (devpath: Devpath): SeenDevice | undefined => seeDevice(this.#parts.roots, devpath);
  readonly settings = (): PolicySettings => this.#settings;

  /** Reads what was decided before, carries out the deadlines that passed meanwhile, and finds the devices that still wait. */
  start(): void {
    this.#hash = this.#parts.ledger.policyHash();
    this.reread();
    this.#expire();
    for (const item of this.#parts.ledger.openPending()) {
      if (differences(item.seen, this.see(item.seen.devpath)).length === 0) this.pending.add(item);
      else this.#parts.ledger.endPending(item.id, 'unplugged');
    }
    this.#watch = new WorldWatch([this.file], () => this.reread());
    this.#setTimer();
    this.#usb.set(this.#settings.usbGate);
  }

  stop(): void {
    this.#watch?.close();
    clearTimeout(this.#timer);
    this.#usb.set('off');
  }

  /** Other settings count from now on. */
  configure(settings: PolicySettings): void {
    this.#settings = settings;
    this.#usb.set(settings.usbGate);
    this.#changed();
  }

  /** Takes the file over when its text is another than we know of. One that is no TOML as a whole is not: what was decided stays. */
  reread(): void {
    const { ledger, reporter } = this.#parts;
    try {
      const { decisions, problems, isWhole, hash } = readDecisions(this.file);
      for (const problem of problems) {
        reporter.emit('notice', 'warning', formatProblem(problem));
        ledger.incident({ kind: 'config-problem', problem });
      }
      if (!isWhole && this.#decisions !== NO_DECISIONS) {
        reporter.emit('notice', 'error', `${this.file} is damaged: the decisions from before it count on`);
        return;
      }
      // While the ledger cannot be read, nobody can say that the file is another than it knows of.
      if (this.#hash === undefined && !ledger.isOpen) this.#hash = hash ?? '';
      this.#decisions = decisions;
      if (hash !== this.#hash && !(hash === undefined && this.#hash === '')) {
        const last = ledger.lastIncident('policy-changed', 'policy-edited');
        const lines = decisionLines(decisions);
        ledger.incident({
          kind: 'policy-edited',
          file: this.file,
          hash: hash ?? '',
          ...(this.#hash !== undefined && { before: this.#hash }),
          decisions: lines,
          changes: lineChanges(last?.decisions ?? [], lines),
        });
        this.#hash = hash ?? '';
        reporter.emit('notice', 'info', `${this.file} was changed and is read again`);
      }
      this.#setTimer();
      this.#changed();
    } catch (error) {
      reporter.emit('notice', 'error', `${(error as Error).message}; the decisions from before count on`);
    }
  }

  /** @throws {UsherdError} as changePolicy does */
  change(request: ChangeRequest): Changed {
    const changed = changePolicy(this.file, request, this.#parts.ledger, this.moment());
    this.#decisions = changed.decisions;
    if (changed.isChanged) this.#hash = changed.hash;
    this.#setTimer();
    this.#changed();
    return changed;
  }

  keepsWhole(event: Uevent): boolean {
    return this.#usb.keepsWhole(event);
  }

  wishesOf(device: Device): readonly Modalias[] {
    return this.#usb.wishesOf(device);
  }

  look(device: Device): SeenDevice | undefined {
    return this.#usb.isClosedFor(device) ? this.see(device.devpath) : undefined;
  }

  /** A device that policy holds becomes a question; one that it admits is let in, if it is shut out. */
  async decided(
    event: Uevent,
    entry: EntryId,
    device: Device,
    deliberated: Deliberated,
    seen?: SeenDevice,
  ): Promise<void> {
    const held = deliberated.decisions.filter(({ verdict }) => verdict === 'hold');
    if (held.length > 0) this.#hold(event, entry, device, deliberated, held);
    else if (seen !== undefined && leavesAny(deliberated.plans, deliberated.refusals))
      await this.#usb.letIn(device, seen, this.see(device.devpath));
  }

  #hold(
    event: Uevent,
    entry: EntryId,
    { devpath, subsystem }: Device,
    { candidates }: Deliberated,
    held: readonly Decision[],
  ): void {
    const seen = this.see(devpath);
    // The very question may stand already, from before a restart.
    if (seen === undefined || this.pending.standing(seen) !== undefined) return;
    const { ledger, reporter } = this.#parts;
    const item = ledger.pend({
      entry,
      subsystem,
      modules: [...new Set(candidates.map(({ module }) => module))],
      reasons: held.flatMap(({ module, winner }) =>
        winner === undefined ? [] : [`${module}: ${winner.by}: ${winner.reason}`],
      ),
      seen,
      expiresAtMs: event.receivedAtMs + PENDING_EXPIRES_AFTER_MS,
    });
    const { replaced, crowdedOut } = this.pending.add(item);
    if (replaced !== undefined) ledger.endPending(replaced.id, 'changed');
    if (crowdedOut !== undefined) {
      ledger.endPending(crowdedOut.id, 'crowded-out');
      const bound = { limit: 'PENDING_MAX_DEVICES', bound: PENDING_MAX_DEVICES, unit: 'devices' };
      ledger.incident({ kind: 'limit-reached', ...bound });
    }
    const answers = `usher approve ${item.id}, or usher deny ${item.id}`;
    reporter.emit('notice', 'warning', `${devpath} waits for an answer: ${answers}`);
    this.#setTimer();
  }

  /** A question is answered, or cannot be any more. */
  settle(item: PendingItem, how: PendingEnd, uid?: number): void {
    this.pending.remove(item.seen.devpath);
    this.#parts.ledger.endPending(item.id, how, uid);
    this.#setTimer();
  }

  #deviceGone(devpath: Devpath): void {
    const item = this.pending.remove(devpath);
    if (item !== undefined) this.#parts.ledger.endPending(item.id, 'unplugged');
    const hasAnswer = this.#decisions.answers.some(
      ({ scope, seen }) => scope === 'until-unplug' && seen.devpath === devpath,
    );
    if (hasAnswer) this.#changeByItself({ kind: 'unplugged', devpath });
  }

  #expire(): void {
    for (const { id } of this.pending.takeExpired(Date.now())) this.#parts.ledger.endPending(id, 'expired');
    this.#changeByItself({ kind: 'expire' });
  }

  #changeByItself(change: DecisionChange): void {
    try {
      this.change({ change, uid: process.getuid?.() ?? 0 });
    } catch (error) {
      this.#parts.reporter.emit(
        'notice',
        'error',
        `the standing decisions could not be changed: ${(error as Error).message}`,
      );
    }
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const moment = this.moment();
    const deadlines = [nextDeadline(this.#decisions, moment), this.pending.nextExpiryMs].filter(at => at !== undefined);
    if (deadlines.length === 0) return;
    const waitMs = Math.min(Math.max(0, Math.min(...deadlines) - moment.nowMs), TIMER_MAX_MS);
    this.#timer = setTimeout(() => this.#expire(), waitMs).unref();
  }
}
