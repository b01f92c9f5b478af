import type { SysfsDevice } from '../../kernel/sysfs.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import { ueventFrom } from './coldplug.ts';
import type { Origin, Uevent } from './uevent.ts';
import { noVariables } from '../../vocabulary/variables.ts';

/** What was known of a device before; stage 2's Device is one. */
export interface DeviceSnapshot {
  readonly subsystem: string;
  readonly driver?: string;
  readonly modalias?: string;
}

const RESYNC: Origin = { kind: 'resync' };

/**
 * Devices as they were known and as a fresh walk found them → uevents for the difference, which is what a loss may have hidden:
 * `remove` for what is gone, children before parents; then, parents before children, `add` for what is new and `change` for what has
 * another driver or modalias. A device that became one of another subsystem is another device: it is removed and added.
 */
export function resync(
  known: ReadonlyMap<Devpath, DeviceSnapshot>,
  fresh: readonly SysfsDevice[],
  receivedAtMs: number,
): Uevent[] {
  const freshByPath = new Map(fresh.map(device => [device.devpath, device]));
  const gone: Uevent[] = [];
  for (const [devpath, before] of known) {
    if (freshByPath.get(devpath)?.subsystem !== before.subsystem) gone.push(removal(devpath, before, receivedAtMs));
  }
  // A child's path is longer than its parent's.
  gone.sort((a, b) => b.devpath.length - a.devpath.length);
  const come: Uevent[] = [];
  for (const device of fresh) {
    const before = known.get(device.devpath);
    if (before?.subsystem !== device.subsystem) come.push(ueventFrom(device, 'add', RESYNC, receivedAtMs));
    else if (before.driver !== device.driver || before.modalias !== device.modalias) {
      come.push(ueventFrom(device, 'change', RESYNC, receivedAtMs));
    }
  }
  return [...gone, ...come];
}

function removal(devpath: Devpath, before: DeviceSnapshot, receivedAtMs: number): Uevent {
  const { subsystem, modalias } = before;
  const env = noVariables();
  Object.assign(env, { ACTION: 'remove', DEVPATH: devpath, SUBSYSTEM: subsystem });
  if (modalias !== undefined) env['MODALIAS'] = modalias;
  return { action: 'remove', devpath, subsystem, env, origin: RESYNC, receivedAtMs };
}
