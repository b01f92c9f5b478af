import { listDeviceFolders, readDevicesInTime } from '../kernel/sysfs.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { Loss } from '../pipeline/1-intake/intake-sink.ts';
import { resync } from '../pipeline/1-intake/resync.ts';
import { QUEUED_EVENTS_MAX, type UeventQueue } from '../pipeline/1-intake/uevent-queue.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import type { DeviceTable } from '../pipeline/2-device/device-table.ts';
import type { Ledger } from '../pipeline/7-ledger/ledger.ts';
import type { Reporter } from '../pipeline/8-report/reporter.ts';
import { assertNever } from '../vocabulary/assert-never.ts';

/** Longest a resync waits for the queue to run empty after a loss; a flood must not put it off for ever. */
const RESYNC_AFTER_MAX_MS = 5000;

export interface LossRepairParts {
  readonly roots: Pick<SystemRoot, 'sys'>;
  readonly receiveBufferBytes: number;
  readonly queue: Pick<UeventQueue<unknown>, 'settled'>;
  readonly devices: DeviceTable;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  /** Takes the events that make up for the loss. */
  readonly push: (events: readonly Uevent[]) => void;
}

/** Makes up for events that were lost: when what did come is dealt with, /sys is walked and its difference to the device table comes in. */
export class LossRepair {
  /** Events known to be lost, as far as the kernel said how many. */
  lostEvents = 0n;
  overruns = 0;
  readonly #parts: LossRepairParts;
  #reason: Loss['kind'] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: LossRepairParts) {
    this.#parts = parts;
  }

  /** Tells the ledger and the person of a loss, and sees to the repair; losses until then are repaired together. */
  lost({ kind, dropped }: Loss): void {
    const { ledger, reporter, queue, receiveBufferBytes } = this.#parts;
    this.lostEvents += dropped ?? 0n;
    if (kind === 'overrun') this.overruns += 1;
    const count = dropped === undefined ? {} : { dropped: Number(dropped) };
    ledger.incident(
      kind === 'queue-full'
        ? { kind: 'limit-reached', limit: 'events waiting', bound: QUEUED_EVENTS_MAX, unit: 'events' }
        : { kind, ...count, bufferBytes: receiveBufferBytes },
    );
    reporter.emit('notice', 'warning', `${lossSentence(kind, dropped)}; /sys is walked to find what was missed`);
    if (this.#reason !== undefined) return;
    this.#reason = kind;
    this.#timer = setTimeout(() => void this.#repair(), RESYNC_AFTER_MAX_MS);
    void queue.settled.then(() => this.#repair());
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #repair(): Promise<void> {
    const because = this.#reason;
    if (because === undefined || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#reason = undefined;
    const events = await this.#difference();
    if (this.#isStopped) return;
    const { ledger, reporter, push } = this.#parts;
    const count = (action: Uevent['action']): number => events.filter(event => event.action === action).length;
    const [added, removed, changed] = [count('add'), count('remove'), count('change')];
    ledger.incident({ kind: 'resync', because, added, removed, changed });
    push(events);
    reporter.emit('notice', 'info', `resync: ${added} devices were new, ${removed} gone, ${changed} changed`);
  }

  /**
   * What /sys has and the device table does not, as events. Of what events told while /sys was read they are the truth, and what is held
   * back is taken to be as it was.
   */
  async #difference(): Promise<readonly Uevent[]> {
    const { devices, roots } = this.#parts;
    const before = new Map(devices.devices);
    const { read: fresh, heldBack } = await readDevicesInTime(roots, [...listDeviceFolders(roots)]);
    const known = new Map(before);
    for (const { devpath } of heldBack) known.delete(devpath);
    return resync(known, fresh, Date.now()).filter(
      ({ devpath }) => before.get(devpath) === devices.devices.get(devpath),
    );
  }
}

function lossSentence(kind: Loss['kind'], dropped: bigint | undefined): string {
  const many = dropped === undefined ? 'events' : `${dropped} event${dropped === 1n ? '' : 's'}`;
  switch (kind) {
    case 'overrun':
      return `${many} lost: the kernel's buffer for usherd was full`;
    case 'truncated':
      return `${many} lost: longer than the buffer it was read into`;
    case 'queue-full':
      return `${many} put off: too many wait to be handled`;
    default:
      return assertNever(kind);
  }
}
