import { readlinkSync } from 'node:fs';
import type { Devpath } from '../vocabulary/devpath.ts';
import { readSmallFile } from './small-file.ts';
import type { SystemRoot } from './system-root.ts';

/** What sysfs says of one device that a replay cannot look up: the attributes and links that drivers and rules are chosen by. */
export interface SysfsSnapshot {
  readonly attrs: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
}

/**
 * Attributes that are read. A list, not everything: reading some attributes wakes a sleeping device, takes seconds, or changes its state.
 * Source: Documentation/ABI/testing/sysfs-bus-usb, sysfs-bus-pci, sysfs-class-net.
 */
const ATTRIBUTES = [
  'uevent',
  'modalias',
  'vendor',
  'device',
  'class',
  'subsystem_vendor',
  'subsystem_device',
  'revision',
  'idVendor',
  'idProduct',
  'bcdDevice',
  'manufacturer',
  'product',
  'serial',
  'bDeviceClass',
  'bInterfaceClass',
  'bInterfaceSubClass',
  'bInterfaceProtocol',
  'bInterfaceNumber',
  'authorized',
  'removable',
  'name',
  'type',
  'address',
  'driver_override',
] as const;
const LINKS = ['subsystem', 'driver', 'module'] as const;

/** A device → what its folder says now, without the newline that ends each attribute. What is not there is left out. */
export function readSysfsSnapshot({ sys }: Pick<SystemRoot, 'sys'>, devpath: Devpath): SysfsSnapshot {
  const attrs: Record<string, string> = Object.create(null) as Record<string, string>;
  const links: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const name of ATTRIBUTES) {
    const value = readSmallFile(`${sys}${devpath}/${name}`);
    if (value !== undefined) attrs[name] = value.endsWith('\n') ? value.slice(0, -1) : value;
  }
  for (const name of LINKS) {
    try {
      links[name] = readlinkSync(`${sys}${devpath}/${name}`);
    } catch {
      // Most devices lack most links.
    }
  }
  return { attrs, links };
}
