import { existsSync, readdirSync, readlinkSync, statfsSync, type Dirent } from 'node:fs';
import path from 'node:path';
import { parseDevpath, type Devpath } from '../vocabulary/devpath.ts';
import { modalias, type Modalias } from '../vocabulary/modalias.ts';
import { readInTime } from './held-back.ts';
import { readSmallFile, readSmallFiles } from './small-file.ts';
import type { SystemRoot } from './system-root.ts';
import { noVariables, type Variables } from '../vocabulary/variables.ts';

/** A device as its folder below /sys/devices describes it at one moment. */
export interface SysfsDevice {
  readonly devpath: Devpath;
  /** Name its `subsystem` link points to. */
  readonly subsystem: string;
  /** `KEY=VALUE` lines of its uevent file, in order; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Name its `driver` link points to, when one is bound. */
  readonly driver?: string;
  readonly modalias?: Modalias;
  readonly devtype?: string;
  /** Without /dev/. */
  readonly devname?: string;
}

/** A folder that stands for a device, as a walk found it. Nothing in it has been read. */
export interface DeviceFolder {
  readonly devpath: Devpath;
  /** Whether it has a file or link of that name. */
  readonly has: (name: string) => boolean;
}

/** Folders nested deeper than this are not looked into; the deepest real ones, USB behind hubs, have some thirty. */
const DEPTH_MAX = 64;

/**
 * Every device below /sys/devices, parents before their children, siblings by name. A device is a folder with a `uevent` file and a
 * `subsystem` link (or, in a fixture that can hold no links, a SUBSYSTEM line in its uevent file). Links are read, never followed.
 * What vanishes during the walk is left out. Synchronous, since some thousand short calls are quicker than as many promises; it waits where
 * a driver is trying a device, as `readSysfsDevice` does.
 * Source: Documentation/ABI/testing/sysfs-uevent, Documentation/admin-guide/sysfs-rules.rst.
 */
export function walkSysfs(root: Pick<SystemRoot, 'sys'>): SysfsDevice[] {
  return [...listDeviceFolders(root)].flatMap(folder => deviceIn(root, folder, readUevent(root, folder)) ?? []);
}

/** The folders that such a walk goes through, each looked for when it is asked for. */
export function listDeviceFolders({ sys }: Pick<SystemRoot, 'sys'>): IterableIterator<DeviceFolder> {
  return walkFolder(sys, '/devices', 0);
}

function* walkFolder(sys: string, folder: string, depth: number): IterableIterator<DeviceFolder> {
  if (depth > DEPTH_MAX) return;
  const entries = entriesOf(sys + folder);
  if (entries === undefined) return;
  const folders: string[] = [];
  const names = new Set<string>();
  for (const entry of entries) {
    if (entry.isDirectory()) folders.push(entry.name);
    else names.add(entry.name);
  }
  const devpath = names.has('uevent') ? parseDevpath(folder) : undefined;
  if (devpath !== undefined) yield { devpath, has: name => names.has(name) };
  for (const name of folders.toSorted()) yield* walkFolder(sys, `${folder}/${name}`, depth + 1);
}

/** Every device on a bus, which are those a driver can be bound to; in no order. Source: Documentation/admin-guide/sysfs-rules.rst. */
export function listBusDevices({ sys }: Pick<SystemRoot, 'sys'>): Devpath[] {
  return namesIn(`${sys}/bus`).flatMap(bus => {
    const folder = `/bus/${bus}/devices`;
    return namesIn(sys + folder).flatMap(name => {
      const target = linkTarget(`${sys}${folder}/${name}`);
      return (target === undefined ? undefined : parseDevpath(path.join(folder, target))) ?? [];
    });
  });
}

/**
 * One device by its devpath, or undefined when there is none. While a driver is trying the device the kernel holds its uevent file back, and
 * this waits (drivers/base/core.c, uevent_show takes the device's lock): a daemon has that read aside, by `readDevice`.
 */
export function readSysfsDevice(root: Pick<SystemRoot, 'sys'>, devpath: Devpath): SysfsDevice | undefined {
  const folder = folderOf(root, devpath);
  return deviceIn(root, folder, readUevent(root, folder));
}

/** Devices by their folders, without those that are gone; waiting for drivers on a thread of its own. */
export async function readDevices(
  root: Pick<SystemRoot, 'sys'>,
  folders: readonly DeviceFolder[],
): Promise<SysfsDevice[]> {
  const texts = await readSmallFiles(folders.map(({ devpath }) => ueventFile(root, devpath)));
  return folders.flatMap((folder, n) => deviceIn(root, folder, texts[n]) ?? []);
}

/** One device by its devpath, or undefined when there is none; waiting for drivers on a thread of its own. */
export async function readDevice(root: Pick<SystemRoot, 'sys'>, devpath: Devpath): Promise<SysfsDevice | undefined> {
  const [device] = await readDevices(root, [folderOf(root, devpath)]);
  return device;
}

/** The same for who cannot wait for drivers: what is held back too long is left out, and named. */
export function readDevicesInTime(
  root: Pick<SystemRoot, 'sys'>,
  folders: readonly DeviceFolder[],
): ReturnType<typeof readInTime<DeviceFolder, SysfsDevice>> {
  return readInTime(folders, some => readDevices(root, some));
}

/** Where a devpath leads, whether or not there is anything. */
export function folderOf({ sys }: Pick<SystemRoot, 'sys'>, devpath: Devpath): DeviceFolder {
  // Every device of a real tree has a subsystem.
  return { devpath, has: name => name === 'subsystem' || existsSync(`${sys}${devpath}/${name}`) };
}

/**
 * What the device asks for, by its file `modalias`, of which the last line counts; undefined where there is none. Never waits for a driver.
 * Source: Documentation/ABI/testing/sysfs-bus-usb, modalias; drivers/acpi/device_sysfs.c, which may print two.
 */
export function readModalias({ sys }: Pick<SystemRoot, 'sys'>, devpath: Devpath): Modalias | undefined {
  const line = readSmallFile(`${sys}${devpath}/modalias`)?.trimEnd().split('\n').at(-1);
  return line === undefined || line === '' ? undefined : modalias(line);
}

/** The driver that has the device or tries it at this moment, by its `driver` link. Never waits for a driver. */
export function readDriver({ sys }: Pick<SystemRoot, 'sys'>, devpath: Devpath): string | undefined {
  const link = `${sys}${devpath}/driver`;
  return existsSync(link) ? linkName(link) : undefined;
}

/** The bus or class the device belongs to, by its `subsystem` link. Never waits for a driver. */
export function readSubsystem({ sys }: Pick<SystemRoot, 'sys'>, devpath: Devpath): string | undefined {
  return linkName(`${sys}${devpath}/subsystem`);
}

function ueventFile({ sys }: Pick<SystemRoot, 'sys'>, devpath: Devpath): string {
  return `${sys}${devpath}/uevent`;
}

function readUevent(root: Pick<SystemRoot, 'sys'>, { devpath }: DeviceFolder): string | undefined {
  return readSmallFile(ueventFile(root, devpath));
}

/**
 * A device by the text of its uevent file. `has` tells whether a link is there: reading one that is not tells it by an exception, which takes
 * longer than all the rest.
 */
function deviceIn(
  { sys }: Pick<SystemRoot, 'sys'>,
  { devpath, has }: DeviceFolder,
  text: string | undefined,
): SysfsDevice | undefined {
  if (text === undefined) return undefined;
  const env = parseUeventFile(text);
  const link = (name: string): string | undefined => (has(name) ? linkName(`${sys}${devpath}/${name}`) : undefined);
  const subsystem = link('subsystem') ?? env['SUBSYSTEM'];
  if (subsystem === undefined || subsystem === '') return undefined;
  // DRIVER is there as long as a driver is bound (drivers/base/core.c, dev_uevent); a fixture may have only the link.
  const driver = env['DRIVER'] ?? link('driver');
  const { MODALIAS: alias, DEVTYPE: devtype, DEVNAME: devname } = env;
  const device: { -readonly [Key in keyof SysfsDevice]: SysfsDevice[Key] } = { devpath, subsystem, env };
  if (driver !== undefined && driver !== '') device.driver = driver;
  if (alias !== undefined && alias !== '') device.modalias = modalias(alias);
  if (devtype !== undefined) device.devtype = devtype;
  if (devname !== undefined) device.devname = devname;
  return device;
}

/** Text of a uevent file → its variables. Lines without a `=` are left out; of two with one key the last counts. */
export function parseUeventFile(text: string): Variables {
  const env = noVariables();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) env[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return env;
}

/** Whether a folder lies on sysfs, so that writing to a file in it speaks to the kernel. Source: linux/magic.h, SYSFS_MAGIC. */
export function isOnSysfs(folder: string): boolean {
  try {
    return statfsSync(folder).type === 0x6265_6572;
  } catch {
    return false;
  }
}

function namesIn(folder: string): readonly string[] {
  return entriesOf(folder)?.map(({ name }) => name) ?? [];
}

function entriesOf(folder: string): Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return undefined;
  }
}

/** Last part of what a link points to, or undefined when it is no link. */
function linkName(link: string): string | undefined {
  const target = linkTarget(link);
  return target?.slice(target.lastIndexOf('/') + 1);
}

function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
