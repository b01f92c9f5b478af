import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ModuleTraits } from '../kernel/module-traits.ts';
import { readSmallFiles } from '../kernel/small-file.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { parseUsbDescriptors, readUsbDescriptors } from '../kernel/usb-descriptors.ts';
import type { Device } from '../pipeline/2-device/device.ts';
import { parentDevpath } from '../vocabulary/devpath.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';
import type { PluginDevice, UsbIdentity } from '../plugin-api/device.ts';
import type { Fact } from '../plugin-api/hooks.ts';

/** What hooks want to know of a device beyond what the event says. */
export type DeviceFacts = Pick<PluginDevice, 'usb' | 'attributes'>;

/** Finds out what hooks want to know beyond what the event says. */
export interface FactReader {
  traitsOf(module: ModuleName): ModuleTraits | undefined;
  /** The facts of each device that are wanted, in their order. It waits for a driver that is trying one of them: the kernel holds some back. */
  factsOf(devices: readonly Device[], wants: readonly Fact[]): Promise<readonly DeviceFacts[]>;
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

  async factsOf(devices: readonly Device[], wants: readonly Fact[]): Promise<readonly DeviceFacts[]> {
    const names = wants.flatMap(fact => (fact.startsWith('attr:') ? [fact.slice('attr:'.length)] : []));
    if (wants.includes('usb')) await this.#readUsb(devices);
    const attributes =
      names.length === 0
        ? []
        : await readAttributes(
            devices.map(device => this.#folder(device)),
            names,
          );
    return devices.map((device, n) => {
      const usb = wants.includes('usb') ? this.#usb.get(device)?.identity : undefined;
      const own = attributes[n];
      return { ...(usb === undefined ? {} : { usb }), ...(own === undefined ? {} : { attributes: own }) };
    });
  }

  async #readUsb(devices: readonly Device[]): Promise<void> {
    const unknown = devices.filter(device => !this.#usb.has(device));
    const found = unknown.flatMap(device => {
      const usb = this.#findUsb(device);
      return usb === undefined ? [] : [{ device, usb }];
    });
    const texts = await readAttributes(
      found.map(({ usb }) => usb.folder),
      USB_TEXTS,
    );
    const identities = new Map(found.map(({ device, usb }, n) => [device, identityOf(usb, texts[n] ?? {})]));
    for (const device of unknown) this.#usb.set(device, { identity: identities.get(device) });
  }

  /** The device itself or the nearest one above it that has descriptors. Source: Documentation/ABI/testing/sysfs-bus-usb. */
  #findUsb(device: Device): UsbShown | undefined {
    const { devpath, subsystem, devtype } = device;
    if (subsystem !== 'usb' && !devpath.includes('/usb')) return undefined;
    for (
      let at: Device['devpath'] | undefined = devtype === 'usb_interface' ? parentDevpath(devpath) : devpath;
      at !== undefined;
      at = parentDevpath(at)
    ) {
      const folder = this.#folder({ devpath: at });
      const descriptors = readUsbDescriptors(folder);
      if (descriptors !== undefined && descriptors.length > 0) return { folder, descriptors };
    }
    return undefined;
  }

  #folder({ devpath }: Pick<Device, 'devpath'>): string {
    return this.#sys + devpath;
  }
}

/** A USB device that says what it has. */
interface UsbShown {
  readonly folder: string;
  readonly descriptors: Buffer;
}

const USB_TEXTS = ['idVendor', 'idProduct', 'serial', 'manufacturer', 'product'];

/** Of each folder those attributes that are there, without the line feed at their end. */
async function readAttributes(
  folders: readonly string[],
  names: readonly string[],
): Promise<readonly Readonly<Record<string, string>>[]> {
  const texts = await readSmallFiles(folders.flatMap(folder => names.map(name => `${folder}/${name}`)));
  return folders.map((_, at) => {
    const attributes: Record<string, string> = {};
    for (const [n, name] of names.entries()) {
      const text = texts[at * names.length + n];
      if (text !== undefined) attributes[name] = text.replace(/\n$/, '');
    }
    return attributes;
  });
}

function withoutE(traits: ModuleTraits | undefined): ModuleTraits | undefined {
  return traits?.taints.includes('E') === true
    ? { ...traits, taints: traits.taints.filter(letter => letter !== 'E') }
    : traits;
}

/** Facts of nothing: for a replay, whose devices are not here. */
export function noFacts(traitsOf: FactReader['traitsOf']): FactReader {
  return { traitsOf, factsOf: async devices => devices.map(() => ({})) };
}

function identityOf(
  { folder, descriptors }: UsbShown,
  {
    idVendor: vendor,
    idProduct: product,
    serial,
    manufacturer,
    product: productName,
  }: Readonly<Record<string, string>>,
): UsbIdentity | undefined {
  if (vendor === undefined || product === undefined) return undefined;
  const { interfaces } = parseUsbDescriptors(descriptors, `${folder}/descriptors`);
  const kinds = interfaces.flatMap(alias => {
    const [, ...codes] = /ic([0-9A-F]{2})isc([0-9A-F]{2})ip([0-9A-F]{2})/.exec(alias) ?? [];
    return codes.length === 0 ? [] : [codes.join(':').toLowerCase()];
  });
  const said = { serial, manufacturer, productName };
  return {
    vendor: vendor.trim(),
    product: product.trim(),
    port: path.basename(folder),
    interfaces: [...new Set(kinds)].toSorted(),
    descriptorsSha256: createHash('sha256').update(descriptors).digest('hex'),
    ...Object.fromEntries(Object.entries(said).filter(([, text]) => text !== undefined && text !== '')),
  };
}
