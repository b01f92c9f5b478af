import { existsSync } from 'node:fs';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import { writeAttributeAside } from './reprobe.ts';

/** Buses whose devices can be kept for one driver say so by this file. Source: Documentation/ABI/testing/sysfs-bus-pci, driver_override. */
const FILE = 'driver_override';

/**
 * Keeps a device for one driver; an empty name lets all have it again → the kernel's error, or undefined when it is so, which a driver that is
 * trying the device holds up.
 */
export async function overrideDriver(
  { sys }: Pick<SystemRoot, 'sys'>,
  devpath: string,
  driver: string,
): Promise<ErrnoName | undefined> {
  const file = `${sys}${devpath}/${FILE}`;
  return existsSync(file) ? writeAttributeAside(file, driver === '' ? '\n' : driver) : 'ENOENT';
}
