import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ModuleTraits } from '../kernel/module-traits.ts';
import { readSmallFile } from '../kernel/small-file.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { parseUsbDescriptors, readUsbDescriptors } from '../kernel/usb-descriptors.ts';
import type { Device } from '../pipeline/2-device/device.ts';
import { parentDevpath } from '../vocabulary/devpath.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';
import type { UsbIdentity } from '../plugin-api/device.ts';

/** Finds out what hooks want to know beyond what the event says. */
export interface FactReader {
  traitsOf(module: ModuleName): ModuleTraits | undefined;
  usbOf(device: Device): UsbIdentity | undefined;
  attributesOf(device: Device, names: readonly string[]): Readonly<Record<string, string>>;
}

/** Reads facts from sysfs; one device's are read once, for as long as somebody asks about that very value. */
export class SysfsFacts implements FactReader {
  readonly traitsOf: FactReader['traitsOf'];
  readonly #sys: string;
  readonly #usb = new WeakMap<Device, { readonly identity: UsbIdentity | undefined }>();

  constructor({ sys }: Pick<SystemRoot, 'sys'>, traitsOf: FactReader['traitsOf']) {
    this.#sys = sys;
    // A kernel that looks at no signatures is not tainted by a module that has none.
    const checksSignatures = existsSync(`${sys}/module/module/parameters/sig_enforce`);
    this.traitsOf = checksSignatures ? traitsOf : module => withoutE(traitsOf(module));
  }

  usbOf(device: Device): UsbIdentity | undefined {
    const known = this.#usb.get(device);
    if (known !== undefined) return known.identity;
    const identity = this.#readUsb(device);
    this.#usb.set(device, { identity });
    return identity;
  }

  attributesOf({ devpath }: Device, names: readonly string[]): Readonly<Record<string, string>> {
    const attributes: Record<string, string> = {};
    for (const name of names) {
      const value = readSmallFile(`${this.#sys}${devpath}/${name}`);
      if (value !== undefined) attributes[name] = value.replace(/\n$/, '');
    }
    return attributes;
  }

  /** Of the device itself or the nearest one above it that has descriptors. Source: Documentation/ABI/testing/sysfs-bus-usb. */
  #readUsb({ devpath, subsystem, devtype }: Device): UsbIdentity | undefined {
    if (subsystem !== 'usb' && !devpath.includes('/usb')) return undefined;
    for (
      let at: string | undefined = devtype === 'usb_interface' ? parentDevpath(devpath) : devpath;
      at !== undefined;
    ) {
      const folder = `${this.#sys}${at}`;
      const bytes = readUsbDescriptors(folder);
      if (bytes !== undefined && bytes.length > 0) return identityOf(bytes, folder, at);
      at = parentDevpath(at as Device['devpath']);
    }
    return undefined;
  }
}

function withoutE(traits: ModuleTraits | undefined): ModuleTraits | undefined {
  return traits?.taints.includes('E') === true
    ? { ...traits, taints: traits.taints.filter(letter => letter !== 'E') }
    : traits;
}

/** Facts of nothing: for a replay, whose devices are not here. */
export function noFacts(traitsOf: FactReader['traitsOf']): FactReader {
  return { traitsOf, usbOf: () => undefined, attributesOf: () => ({}) };
}

function identityOf(bytes: Buffer, folder: string, devpath: string): UsbIdentity | undefined {
  const { interfaces } = parseUsbDescriptors(bytes, `${folder}/descriptors`);
  const [vendor, product] = [readSmallFile(`${folder}/idVendor`), readSmallFile(`${folder}/idProduct`)];
  if (vendor === undefined || product === undefined) return undefined;
  const text = (key: string, name: string): Readonly<Record<string, string>> => {
    const value = readSmallFile(`${folder}/${name}`)?.replace(/\n$/, '');
    return value === undefined || value === '' ? {} : { [key]: value };
  };
  const kinds = interfaces.flatMap(alias => {
    const [, ...codes] = /ic([0-9A-F]{2})isc([0-9A-F]{2})ip([0-9A-F]{2})/.exec(alias) ?? [];
    return codes.length === 0 ? [] : [codes.join(':').toLowerCase()];
  });
  return {
    vendor: vendor.trim(),
    product: product.trim(),
    port: path.basename(devpath),
    interfaces: [...new Set(kinds)].toSorted(),
    descriptorsSha256: createHash('sha256').update(bytes).digest('hex'),
    ...text('serial', 'serial'),
    ...text('manufacturer', 'manufacturer'),
    ...text('productName', 'product'),
  };
}
