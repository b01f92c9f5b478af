import {
  folderOf,
  listBusDevices,
  listDeviceFolders,
  readDevices,
  readDevicesInTime,
  readDriver,
  type DeviceFolder,
  type SysfsDevice,
} from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { devpathsAbove, type Devpath } from '../../vocabulary/devpath.ts';
import type { Action, Origin, Uevent } from './uevent.ts';
import { noVariables } from '../../vocabulary/variables.ts';
import { wallClockMs } from '../../vocabulary/wall-clock.ts';

/** Devices that come in one piece; a millisecond or two. */
const DEVICES_AT_ONCE = 16;

/**
 * The devices on a bus that have a MODALIAS and no driver, each after those above it → an `add` for each, as if they had just been plugged in.
 * They are few, and what they wait for takes longest. What a driver is trying meanwhile is left for later.
 */
export async function coldplugWaiting(root: Pick<SystemRoot, 'sys'>): Promise<readonly Uevent[]> {
  const idle = listBusDevices(root).filter(devpath => readDriver(root, devpath) === undefined);
  const folders = Array.from(withThoseAbove(idle), devpath => folderOf(root, devpath));
  const { read: devices } = await readDevicesInTime(root, folders);
  const waiting = devices.filter(({ modalias, driver }) => modalias !== undefined && driver === undefined);
  const wanted = withThoseAbove(waiting.map(({ devpath }) => devpath));
  const told = devices.filter(({ devpath }) => wanted.has(devpath));
  // What is above another device has the shorter one of two paths that begin alike.
  return told.toSorted((a, b) => (a.devpath < b.devpath ? -1 : 1)).map(asAdded);
}

function withThoseAbove(devpaths: readonly Devpath[]): ReadonlySet<Devpath> {
  return new Set(devpaths.flatMap(devpath => [devpath, ...devpathsAbove(devpath)]));
}

/** An `add` for each device that was not `told` of, parents first, in pieces; a piece is read when it is asked for. */
export function* coldplugOthers(
  root: Pick<SystemRoot, 'sys'>,
  told: ReadonlySet<Devpath>,
): IterableIterator<Promise<readonly Uevent[]>> {
  const read = async (folders: readonly DeviceFolder[]): Promise<readonly Uevent[]> =>
    (await readDevices(root, folders)).map(asAdded);
  let piece: DeviceFolder[] = [];
  for (const folder of listDeviceFolders(root)) {
    if (told.has(folder.devpath)) continue;
    piece.push(folder);
    if (piece.length < DEVICES_AT_ONCE) continue;
    yield read(piece);
    piece = [];
  }
  yield read(piece);
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
