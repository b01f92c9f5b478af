import { wallClockMs } from '../../vocabulary/wall-clock.ts';
import { walkSysfs, type SysfsDevice } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { Action, Origin, Uevent } from './uevent.ts';
import { noVariables } from '../../vocabulary/variables.ts';

/** The devices that are there already → an `add` for each, parents first, as if they had just been plugged in. */
export function coldplug(root: Pick<SystemRoot, 'sys'>): Uevent[] {
  const receivedAtMs = wallClockMs();
  return walkSysfs(root).map(device => ueventFrom(device, 'add', { kind: 'coldplug' }, receivedAtMs));
}

/** A device as sysfs has it → the uevent the kernel would send for `action`, but for the SEQNUM, which only the kernel gives. */
export function ueventFrom(device: SysfsDevice, action: Action, origin: Origin, receivedAtMs: number): Uevent {
  const { devpath, subsystem } = device;
  const env = noVariables();
  Object.assign(env, { ACTION: action, DEVPATH: devpath, SUBSYSTEM: subsystem }, device.env);
  return { action, devpath, subsystem, env, origin, receivedAtMs };
}
