import { existsSync, readdirSync } from 'node:fs';
import { readSmallFile } from '../../kernel/small-file.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { Device } from '../2-device/device.ts';
import { askBusToProbe, writeAttribute, writeAttributeAside } from './reprobe.ts';

/** A USB controller whose new interfaces are to be shut out, or let in, and what the kernel said to it. */
export interface GateChange {
  readonly controller: string;
  readonly errno?: ErrnoName;
}

/** What is kept until it is let in: interfaces of a device, or the device with all of them. */
export type GateKind = 'interface' | 'device';

/**
 * Has every USB controller keep what is new from its drivers until it is let in, or stop doing so. What is there already is not touched.
 * A device that is kept has no configuration, and its interfaces are kept once it has.
 * Source: Documentation/usb/authorization.rst; Documentation/ABI/testing/sysfs-bus-usb, interface_authorized_default.
 */
export function setUsbGate({ sys }: Pick<SystemRoot, 'sys'>, kind: GateKind, isClosed: boolean): readonly GateChange[] {
  const names = ['interface_authorized_default', ...(kind === 'device' ? ['authorized_default'] : [])];
  return controllers(sys).flatMap(controller =>
    names.map(name => {
      const errno = writeAttribute(`${sys}/bus/usb/devices/${controller}/${name}`, isClosed ? '0' : '1');
      return { controller, ...(errno === undefined ? {} : { errno }) };
    }),
  );
}

/** Whether a device is one of those that are shut out now. */
export function isShutOut(
  { sys }: Pick<SystemRoot, 'sys'>,
  { devpath, devtype }: Pick<Device, 'devpath' | 'devtype'>,
): boolean {
  const isOfUsb = devtype === 'usb_interface' || devtype === 'usb_device';
  return isOfUsb && readSmallFile(`${sys}${devpath}/authorized`)?.trim() === '0';
}

/** Lets a device in if it is shut out, and asks its bus to try the drivers → the kernel's error, or undefined. */
export async function letIn(root: Pick<SystemRoot, 'sys'>, device: Device): Promise<ErrnoName | undefined> {
  // The parts of a device that was kept as a whole come with it, and their drivers try them at once.
  const errno = isShutOut(root, device)
    ? await writeAttributeAside(`${root.sys}${device.devpath}/authorized`, '1')
    : undefined;
  return errno ?? askBusToProbe(root, device);
}

/** Root hubs: `usb1`, `usb2`. */
function controllers(sys: string): readonly string[] {
  const folder = `${sys}/bus/usb/devices`;
  return existsSync(folder) ? readdirSync(folder).filter(name => /^usb\d+$/.test(name)) : [];
}
