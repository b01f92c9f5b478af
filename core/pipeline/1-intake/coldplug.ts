import { existsSync } from 'node:fs';
import { wallClockMs } from '../../vocabulary/wall-clock.ts';
import { listBusDevices, readSysfsDevice, walkingSysfs, type SysfsDevice } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { parentDevpath, type Devpath } from '../../vocabulary/devpath.ts';
import type { Action, Origin, Uevent } from './uevent.ts';
import { noVariables } from '../../vocabulary/variables.ts';

/** Devices looked at in one go; a millisecond or two. */
const DEVICES_AT_ONCE = 8;

/**
 * The devices that are there already → an `add` for each, parents first, as if they had just been plugged in. They come in pieces, each
 * read as it is asked for: in between, drivers can be loaded. The first piece has those that wait for a driver, and what is above them.
 */
export function* coldplug(root: Pick<SystemRoot, 'sys'>): IterableIterator<readonly Uevent[]> {
  const waiting = waitingDevices(root);
  yield [...waiting.values()].map(asAdded);
  let piece: Uevent[] = [];
  for (const device of walkingSysfs(root)) {
    if (waiting.has(device.devpath)) continue;
    piece.push(asAdded(device));
    if (piece.length < DEVICES_AT_ONCE) continue;
    yield piece;
    piece = [];
  }
  yield piece;
}

/** The devices on a bus that have a MODALIAS and no driver, each after those above it: they are few, and what they wait for takes longest. */
function waitingDevices(root: Pick<SystemRoot, 'sys'>): ReadonlyMap<Devpath, SysfsDevice> {
  const found = new Map<Devpath, SysfsDevice>();
  const find = (devpath: Devpath | undefined, device?: SysfsDevice): void => {
    if (devpath === undefined || found.has(devpath)) return;
    find(parentDevpath(devpath));
    const there = device ?? readSysfsDevice(root, devpath);
    if (there !== undefined) found.set(devpath, there);
  };
  for (const devpath of listBusDevices(root).toSorted()) {
    if (found.has(devpath) || existsSync(`${root.sys}${devpath}/driver`)) continue;
    const device = readSysfsDevice(root, devpath);
    if (device?.modalias !== undefined && device.driver === undefined) find(devpath, device);
  }
  return found;
}

function asAdded(device: SysfsDevice): Uevent {
  return ueventFrom(device, 'add', { kind: 'coldplug' }, wallClockMs());
}

/** A device as sysfs has it → the uevent the kernel would send for `action`, but for the SEQNUM, which only the kernel gives. */
export function ueventFrom(device: SysfsDevice, action: Action, origin: Origin, receivedAtMs: number): Uevent {
  const { devpath, subsystem } = device;
  const env = noVariables();
  Object.assign(env, { ACTION: action, DEVPATH: devpath, SUBSYSTEM: subsystem }, device.env);
  return { action, devpath, subsystem, env, origin, receivedAtMs };
}
