import { readDevice, readDriver, readModalias, type SysfsDevice } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { modalias } from '../../vocabulary/modalias.ts';
import { hasJustCome, type Uevent } from '../1-intake/uevent.ts';
import type { Device } from './device.ts';

/** An event → the device it is about, or undefined when that is gone. A promise where a driver that tries the device may have to be waited for. */
export type ReadDevice = (event: Uevent) => Device | undefined | Promise<Device | undefined>;

/**
 * What the device asks for is read from sysfs as it is now. The event only said that something happened: its own MODALIAS is not
 * believed, so that a forged or outdated event loads nothing that a present device does not ask for.
 *
 * A driver that is in the kernel already tries the device at once, and as long as it does the kernel lets nobody read the uevent file
 * (drivers/base/core.c, uevent_show takes the device's lock). So that is only read, and aside, of the few kinds of device that have no
 * file `modalias`; DEVTYPE and DEVNAME are those of the event. A device that has just come has no driver yet: its `bind` will tell.
 */
export function deviceFromSysfs(root: Pick<SystemRoot, 'sys'>): ReadDevice {
  return event => {
    const { devpath } = event;
    const alias = readModalias(root, devpath);
    if (alias === undefined) return readDevice(root, devpath).then(found => found && deviceOf(found));
    const { driver: _driver, ...told } = deviceFromEvent(event);
    const driver = hasJustCome(event) ? undefined : readDriver(root, devpath);
    return { ...told, modalias: alias, ...(driver === undefined ? {} : { driver }) };
  };
}

/** For a replay, which has no sysfs: the device is what the recorded event says of it. */
export function deviceFromEvent({ devpath, subsystem, env }: Uevent): Device {
  const { MODALIAS, DRIVER, DEVTYPE, DEVNAME } = env;
  // Filled in place: every event of a storm comes through here.
  const device: { -readonly [Key in keyof Device]: Device[Key] } = { devpath, subsystem };
  if (MODALIAS !== undefined && MODALIAS !== '') device.modalias = modalias(MODALIAS);
  if (DRIVER !== undefined && DRIVER !== '') device.driver = DRIVER;
  if (DEVTYPE !== undefined) device.devtype = DEVTYPE;
  if (DEVNAME !== undefined) device.devname = DEVNAME;
  return device;
}

/** A folder of sysfs → the device it stands for. */
export function deviceOf({ env: _env, ...device }: SysfsDevice): Device {
  return device;
}
