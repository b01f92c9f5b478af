import { existsSync } from 'node:fs';
import { readInTime } from '../kernel/held-back.ts';
import { listDeviceFolders, readDevicesInTime, readDriver } from '../kernel/sysfs.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { deviceOf } from '../pipeline/2-device/read-device.ts';
import type { PluginDevice } from '../plugin-api/device.ts';
import type { PluginContext } from '../plugin-api/context.ts';
import type { FactReader } from '../plugin-host/fact-reader.ts';
import type { Devpath } from '../vocabulary/devpath.ts';
import { viewDevices } from '../plugin-host/plugin-views.ts';

/** The devices that are there, as plugins see them; without those that a driver is trying and does not let go of. */
export async function devicesNow(
  roots: Pick<SystemRoot, 'sys'>,
  facts: FactReader,
  { subsystem, wants = [] }: Parameters<PluginContext<unknown>['devices']>[0] = {},
): Promise<readonly PluginDevice[]> {
  const { read: devices } = await readDevicesInTime(roots, [...listDeviceFolders(roots)]);
  const wanted = devices.filter(device => subsystem === undefined || device.subsystem === subsystem).map(deviceOf);
  const { read: views } = await readInTime(wanted, piece => viewDevices(piece, wants, facts));
  return views;
}

/** Whether a driver has taken the device, or tries it; one that is gone needs none. */
export function isDriven(roots: Pick<SystemRoot, 'sys'>, devpath: Devpath): boolean {
  return !existsSync(`${roots.sys}${devpath}`) || readDriver(roots, devpath) !== undefined;
}
