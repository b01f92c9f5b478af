import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Seqnum } from '../../vocabulary/seqnum.ts';

/** What can happen to a kobject. The kernel sends no other action. Source: lib/kobject_uevent.c, kobject_actions. */
export const ACTIONS = ['add', 'remove', 'change', 'move', 'online', 'offline', 'bind', 'unbind'] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * Who told us. `kernel`: a true kernel event (credentials pid 0). `injected`: multicast by the kernel on behalf of a process
 * (kept only under the test switch). `udev`: udevd, after its rules. The others are made here, from /sys or from a recording.
 */
export type Origin =
  | { readonly kind: 'kernel' | 'coldplug' | 'resync' | 'replay' }
  | { readonly kind: 'injected' | 'udev'; readonly pid: number };

/** One uevent that passed admission. A hint that something happened; what sysfs says decides. */
export interface Uevent {
  readonly action: Action;
  readonly devpath: Devpath;
  readonly subsystem: string;
  /** Absent on events made here (coldplug, resync), which the kernel never numbered. */
  readonly seqnum?: Seqnum;
  /** Every KEY=VALUE of the body, in the order sent; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly origin: Origin;
  /** SYNTH_UUID: set when somebody wrote to the device's uevent file; `0` when they gave no UUID. */
  readonly synthUuid?: string;
  /** Milliseconds since 1970, with a fraction. */
  readonly receivedAtMs: number;
}

/** Whether the kernel sent it of itself as the device came: it is older than what any driver does about the device. */
export function hasJustCome({ action, seqnum, synthUuid }: Uevent): boolean {
  return action === 'add' && seqnum !== undefined && synthUuid === undefined;
}
