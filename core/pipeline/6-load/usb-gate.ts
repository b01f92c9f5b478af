import { existsSync, readdirSync } from 'node:fs';
import { readAttribute } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { Device } from '../2-device/device.ts';
import { askBusToProbe, writeAttribute } from './reprobe.ts';

/** A USB controller whose new interfaces are to be shut out, or let in, and what the kernel said to it. */
export interface GateChange {
  readonly controller: string;
  readonly errno?: ErrnoName;
}

/**
 * Has every USB controller keep new interfaces from their drivers until they are let in, or stop doing so. Interfaces that are there
 * already are not touched. Source: Documentation/usb/authorization.rst; Documentation/ABI/testing/sysfs-bus-usb,
 * interface_authorized_default.
 */
export function setUsbGate({ sys }: Pick<SystemRoot, 'sys'>, isClosed: boolean): readonly GateChange[] {
  return controllers(sys).map(controller => {
    const file = `${sys}/bus/usb/devices/${controller}/interface_authorized_default`;
    const errno = writeAttribute(file, isClosed ? '0' : '1');
    return { controller, ...(errno === undefined ? {} : { errno }) };
  });
}

/** Whether a device is one of those that are shut out now. */
export function isShutOut(
  { sys }: Pick<SystemRoot, 'sys'>,
  { devpath, devtype }: Pick<Device, 'devpath' | 'devtype'>,
): boolean {
  return devtype === 'usb_interface' && readAttribute(`${sys}${devpath}/authorized`)?.trim() === '0';
}

/** Lets a device in if it is shut out, and asks its bus to try the drivers → the kernel's error, or undefined. */
export function letIn(root: Pick<SystemRoot, 'sys'>, device: Device): ErrnoName | undefined {
  const errno = isShutOut(root, device) ? writeAttribute(`${root.sys}${device.devpath}/authorized`, '1') : undefined;
  return errno ?? askBusToProbe(root, device);
}

/** Root hubs: `usb1`, `usb2`. */
function controllers(sys: string): readonly string[] {
  const folder = `${sys}/bus/usb/devices`;
  return existsSync(folder) ? readdirSync(folder).filter(name => /^usb\d+$/.test(name)) : [];
}
