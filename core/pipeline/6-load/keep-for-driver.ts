import { existsSync } from 'node:fs';
import { readDevice, readDriver } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import { overrideDriver } from './driver-override.ts';
import { askBusToProbe, writeAttribute, writeAttributeAside } from './reprobe.ts';

/** A driver's name as sysfs shows it: one folder below its bus. */
const DRIVER_NAME = /^[A-Za-z0-9_.+-]+$/;

/**
 * Keeps a device for one driver, takes it from another it has, and has its bus look for one again; without a driver it is free for all. A
 * device that then has none asks for one by a uevent.
 * `load` is asked for the driver's module where the bus does not have the driver yet → the kernel's error, or undefined when it is so.
 * Source: Documentation/ABI/testing/sysfs-bus-pci, driver_override; Documentation/driver-api/driver-model/binding.rst.
 */
export async function keepForDriver(
  roots: Pick<SystemRoot, 'sys'>,
  devpath: Devpath,
  driver: string | undefined,
  load: (name: string) => Promise<void>,
): Promise<ErrnoName | undefined> {
  const device = await readDevice(roots, devpath);
  if (device === undefined) return 'ENODEV';
  if (driver !== undefined && !DRIVER_NAME.test(driver)) return 'EINVAL';
  const { subsystem } = device;
  if (driver !== undefined && !existsSync(`${roots.sys}/bus/${subsystem}/drivers/${driver}`)) await load(driver);
  const refused = await overrideDriver(roots, devpath, driver ?? '');
  if (refused !== undefined || device.driver === driver) return refused;
  const name = devpath.slice(devpath.lastIndexOf('/') + 1);
  if (device.driver !== undefined) {
    const errno = await writeAttributeAside(`${roots.sys}${devpath}/driver/unbind`, name);
    if (errno !== undefined) return errno;
  }
  const errno = await askBusToProbe(roots, device);
  // Its driver may be in a module that is not loaded: it asks for it as it did when it came, and policy has its say.
  if (errno === undefined && readDriver(roots, devpath) === undefined)
    return writeAttribute(`${roots.sys}${devpath}/uevent`, 'add');
  return errno;
}
