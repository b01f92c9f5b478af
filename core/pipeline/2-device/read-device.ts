import { readSysfsDevice, type SysfsDevice } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { modalias } from '../../vocabulary/modalias.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Device } from './device.ts';

/** An event → the device it is about, or undefined when that is gone. */
export type ReadDevice = (event: Uevent) => Device | undefined;

/**
 * Reads the device from sysfs as it is now. The event only said that something happened: its own MODALIAS is not believed, so that a
 * forged or outdated event loads nothing that a present device does not ask for.
 */
export function deviceFromSysfs(root: Pick<SystemRoot, 'sys'>): ReadDevice {
  return ({ devpath }) => {
    const found = readSysfsDevice(root, devpath);
    return found === undefined ? undefined : deviceOf(found);
  };
}

/** For a replay, which has no sysfs: the device is what the recorded event says of it. */
export const deviceFromEvent: ReadDevice = ({ devpath, subsystem, env }) => {
  const { MODALIAS, DRIVER, DEVTYPE, DEVNAME } = env;
  // Filled in place: every event of a storm comes through here.
  const device: { -readonly [Key in keyof Device]: Device[Key] } = { devpath, subsystem };
  if (MODALIAS !== undefined && MODALIAS !== '') device.modalias = modalias(MODALIAS);
  if (DRIVER !== undefined && DRIVER !== '') device.driver = DRIVER;
  if (DEVTYPE !== undefined) device.devtype = DEVTYPE;
  if (DEVNAME !== undefined) device.devname = DEVNAME;
  return device;
};

/** A folder of sysfs → the device it stands for. */
export function deviceOf({ env: _env, ...device }: SysfsDevice): Device {
  return device;
}
