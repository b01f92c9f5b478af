import { readSysfsDevice, walkSysfs } from '../kernel/sysfs.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { deviceOf } from '../pipeline/2-device/read-device.ts';
import type { PluginDevice } from '../plugin-api/device.ts';
import type { PluginContext } from '../plugin-api/context.ts';
import type { FactReader } from '../plugin-host/fact-reader.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import { viewDevice } from '../plugin-host/plugin-views.ts';

/** The devices that are there, as plugins see them. */
export function devicesNow(
  roots: Pick<SystemRoot, 'sys'>,
  facts: FactReader,
  { subsystem, wants = [] }: Parameters<PluginContext<unknown>['devices']>[0] = {},
): readonly PluginDevice[] {
  return walkSysfs(roots)
    .filter(device => subsystem === undefined || device.subsystem === subsystem)
    .map(device => viewDevice(deviceOf(device), wants, facts));
}

/** Whether a driver has taken the device; one that is gone needs none. */
export function isDriven(roots: Pick<SystemRoot, 'sys'>, devpath: Devpath): boolean {
  const device = readSysfsDevice(roots, devpath);
  return device === undefined || device.driver !== undefined;
}
