import { wallClockMs } from '../../vocabulary/wall-clock.ts';
import { walkingSysfs, type SysfsDevice } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { Action, Origin, Uevent } from './uevent.ts';
import { noVariables } from '../../vocabulary/variables.ts';

/** Devices looked at in one go; some milliseconds. */
const DEVICES_AT_ONCE = 32;

/**
 * The devices that are there already → an `add` for each, parents first, as if they had just been plugged in. They come in pieces, each
 * read as it is asked for: in between the first drivers can be loaded.
 */
export function* coldplug(root: Pick<SystemRoot, 'sys'>): IterableIterator<readonly Uevent[]> {
  let piece: Uevent[] = [];
  for (const device of walkingSysfs(root)) {
    piece.push(ueventFrom(device, 'add', { kind: 'coldplug' }, wallClockMs()));
    if (piece.length < DEVICES_AT_ONCE) continue;
    yield piece;
    piece = [];
  }
  yield piece;
}

/** A device as sysfs has it → the uevent the kernel would send for `action`, but for the SEQNUM, which only the kernel gives. */
export function ueventFrom(device: SysfsDevice, action: Action, origin: Origin, receivedAtMs: number): Uevent {
  const { devpath, subsystem } = device;
  const env = noVariables();
  Object.assign(env, { ACTION: action, DEVPATH: devpath, SUBSYSTEM: subsystem }, device.env);
  return { action, devpath, subsystem, env, origin, receivedAtMs };
}
