import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { native } from '../../kernel/native.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { errnoName, type ErrnoName } from '../../vocabulary/errno.ts';
import type { Device } from '../2-device/device.ts';

/**
 * Asks a device's bus to try its drivers once more, as when one that fits has come since, or the device has just been let in → the
 * kernel's error, or undefined when it has tried, which takes as long as a driver does. A device of no bus (a class's) has nobody to ask.
 * Source: Documentation/ABI/testing/sysfs-bus, drivers_probe.
 */
export async function askBusToProbe(
  { sys }: Pick<SystemRoot, 'sys'>,
  { devpath, subsystem }: Pick<Device, 'devpath' | 'subsystem'>,
): Promise<ErrnoName | undefined> {
  if (!/^[A-Za-z0-9_-]+$/.test(subsystem)) return 'EINVAL';
  return writeAttributeAside(`${sys}/bus/${subsystem}/drivers_probe`, devpath.slice(devpath.lastIndexOf('/') + 1));
}

/** The same as `writeAttribute` where the kernel has drivers at work before it answers: on a thread of its own, so that nothing else waits. */
export async function writeAttributeAside(file: string, value: string): Promise<ErrnoName | undefined> {
  const status = await native().writeText(file, value);
  return status < 0 ? errnoName(-status) : undefined;
}

/** Writes to a file the kernel has put there, not through a link and never making one → the kernel's error, or undefined. */
export function writeAttribute(file: string, value: string): ErrnoName | undefined {
  try {
    const fd = openSync(file, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      writeSync(fd, value);
    } finally {
      closeSync(fd);
    }
    return undefined;
  } catch (error) {
    return ((error as NodeJS.ErrnoException).code ?? 'EIO') as ErrnoName;
  }
}
