import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import path from 'node:path';
import { readSmallFile } from '../../../kernel/small-file.ts';
import { parseUeventFile } from '../../../kernel/sysfs.ts';
import { noVariables } from '../../../vocabulary/variables.ts';
import { HeldBack, type RuleDevice } from './rule-context.ts';

/** Links whose last part is their value. Source: systemd, sd_device_get_sysattr_value. */
const VALUE_LINKS: ReadonlySet<string> = new Set(['driver', 'subsystem', 'module']);

/**
 * Attributes that the kernel holds back while a driver tries the device, or while one tries a part of a USB device: the uevent file and
 * driver_override take the device's lock, what a USB device says of itself and its configuration that of the whole device. All these
 * have a `driver` link from the moment a driver begins; a device without one can be read at once, and most that rules look at are of no bus.
 * Source: drivers/base/core.c, uevent_show; drivers/base/dd.c, driver_sysfs_add; drivers/pci/pci-sysfs.c, driver_override_show;
 * drivers/usb/core/sysfs.c, usb_string_attr.
 */
const HELD_BACK: ReadonlySet<string> = new Set([
  'uevent',
  'driver_override',
  'waiting_for_supplier',
  'manufacturer',
  'product',
  'serial',
  'configuration',
  'bConfigurationValue',
  'bNumInterfaces',
  'bmAttributes',
  'bMaxPower',
]);

/** Missing attributes after which the folder is listed, so that further ones cost nothing. */
const MISSES_BEFORE_LISTING = 2;

/** Largest binary attribute read; a USB device's descriptors are the largest that is asked for. */
const BYTES_MAX = 64 * 1024;

/** Folders that something is known of; beyond it all are forgotten. They stay what they are as long as a device is below them. */
const KNOWN_FOLDERS_MAX = 4096;
/** Whether the folder is a device's. */
const deviceFolders = new Map<string, boolean>();
/** Devices known to belong to no subsystem, as the roots of buses. To ask again costs as much as a rule set. */
const withoutSubsystem = new Set<string>();

/** The same with room for one more. */
function bounded<Known extends { readonly size: number; clear(): void }>(known: Known): Known {
  if (known.size >= KNOWN_FOLDERS_MAX) known.clear();
  return known;
}

/** A device's name: the kernel writes ! where it has a slash. */
export function sysnameOf(devpath: string): string {
  const name = devpath.slice(devpath.lastIndexOf('/') + 1);
  return name.includes('!') ? name.replaceAll('!', '/') : name;
}

/** A device of sysfs as it is now. Each thing is read when it is first asked for, and kept for as long as this value. */
export class SysfsRuleDevice implements RuleDevice {
  readonly devpath: string;
  readonly sysname: string;
  readonly folder: string;
  readonly #sys: string;
  #subsystem: string | null | undefined;
  #driver: string | null | undefined;
  #uevent: Readonly<Record<string, string>> | undefined;
  #parent: SysfsRuleDevice | null | undefined;
  #names: ReadonlySet<string> | undefined;
  #misses = 0;
  readonly #attributes = new Map<string, string | undefined>();
  /** What may be held back, once it has been read aside. */
  #heldBack: ReadonlyMap<string, string | undefined> | undefined;

  /** @param known what an event has said already, so that it need not be read */
  constructor(
    sys: string,
    devpath: string,
    known: { readonly subsystem?: string; readonly uevent?: Readonly<Record<string, string>> } = {},
  ) {
    this.#sys = sys;
    this.devpath = devpath;
    this.folder = sys + devpath;
    this.sysname = sysnameOf(devpath);
    this.#subsystem = known.subsystem;
    this.#uevent = known.uevent;
  }

  get subsystem(): string | undefined {
    if (this.#subsystem === undefined) this.#subsystem = this.#findSubsystem() ?? null;
    return this.#subsystem ?? undefined;
  }

  get driver(): string | undefined {
    // What belongs to no bus has no driver.
    if (this.#driver === undefined) {
      this.#driver = (this.subsystem === undefined ? undefined : this.#linkName('driver')) ?? null;
    }
    return this.#driver ?? undefined;
  }

  get uevent(): Readonly<Record<string, string>> {
    // The kernel says nothing there of what belongs to no subsystem. Source: drivers/base/core.c, dev_uevent_filter.
    this.#uevent ??= this.subsystem === undefined ? noVariables() : parseUeventFile(this.#readHeldBack('uevent') ?? '');
    return this.#uevent;
  }

  get parent(): RuleDevice | undefined {
    if (this.#parent === undefined) this.#parent = this.#findParent() ?? null;
    return this.#parent ?? undefined;
  }

  attribute(name: string): string | undefined {
    if (this.#attributes.has(name)) return this.#attributes.get(name);
    const value = this.#read(name);
    this.#attributes.set(name, value);
    return value;
  }

  bytes(name: string, maxBytes = BYTES_MAX): Buffer | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(`${this.folder}/${name}`, 'r');
      const bytes = Buffer.allocUnsafe(maxBytes);
      let length = 0;
      // The kernel gives a page at a time.
      for (let more = -1; more !== 0 && length < maxBytes; length += more)
        more = readSync(fd, bytes, length, maxBytes - length, length);
      return bytes.subarray(0, length);
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  list(folder: string): readonly string[] {
    try {
      return readdirSync(path.join(this.folder, folder));
    } catch {
      return [];
    }
  }

  #read(name: string): string | undefined {
    if (VALUE_LINKS.has(name)) return this.#linkName(name);
    if (name === '' || !this.#mayHave(name)) return undefined;
    const text = HELD_BACK.has(name) ? this.#readHeldBack(name) : readSmallFile(`${this.folder}/${name}`);
    const end = text?.indexOf('\0') ?? -1;
    return withoutLineEnds(end < 0 ? text : text?.slice(0, end));
  }

  #readHeldBack(name: string): string | undefined {
    if (this.#heldBack !== undefined) return this.#heldBack.get(name);
    if (this.subsystem === undefined || !existsSync(`${this.folder}/driver`))
      return readSmallFile(`${this.folder}/${name}`);
    const names = [...HELD_BACK];
    throw new HeldBack(
      names.map(each => `${this.folder}/${each}`),
      texts => {
        this.#heldBack = new Map(names.map((each, n) => [each, texts[n]]));
      },
    );
  }

  /** A missing file costs three times as much to open as to ask for. */
  #mayHave(name: string): boolean {
    if (this.#misses < MISSES_BEFORE_LISTING) {
      const isThere = existsSync(`${this.folder}/${name}`);
      if (!isThere) this.#misses += 1;
      return isThere;
    }
    this.#names ??= new Set(this.list('.'));
    const slash = name.indexOf('/');
    const first = slash < 0 ? name : name.slice(0, slash);
    return first === '..' || first === '.' || this.#names.has(first);
  }

  #linkName(name: string): string | undefined {
    try {
      const target = readlinkSync(`${this.folder}/${name}`);
      return target.slice(target.lastIndexOf('/') + 1);
    } catch {
      return undefined;
    }
  }

  /** Modules, drivers and buses have no `subsystem` link. Source: systemd, sd_device_get_subsystem. */
  #findSubsystem(): string | undefined {
    if (withoutSubsystem.has(this.folder)) return undefined;
    const found = this.#linkName('subsystem');
    if (found !== undefined) return found;
    if (this.devpath.startsWith('/module/')) return 'module';
    if (/\/drivers\/|\/drivers$/.test(this.devpath)) return 'drivers';
    if (/^\/(?:subsystem|class|bus)\//.test(this.devpath)) return 'subsystem';
    if (existsSync(this.folder)) bounded(withoutSubsystem).add(this.folder);
    return undefined;
  }

  #findParent(): SysfsRuleDevice | undefined {
    for (let at = this.devpath.lastIndexOf('/'); at > 0; at = this.devpath.lastIndexOf('/', at - 1)) {
      const devpath = this.devpath.slice(0, at);
      if (devpath === '/devices') return undefined;
      if (isDeviceFolder(this.#sys + devpath)) return new SysfsRuleDevice(this.#sys, devpath);
    }
    return undefined;
  }
}

function isDeviceFolder(folder: string): boolean {
  const known = deviceFolders.get(folder);
  if (known !== undefined) return known;
  const isDevice = existsSync(`${folder}/uevent`);
  // What is not there at all may come as either.
  if (isDevice || existsSync(folder)) bounded(deviceFolders).set(folder, isDevice);
  return isDevice;
}

function withoutLineEnds(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0x0a || text.charCodeAt(end - 1) === 0x0d)) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}
