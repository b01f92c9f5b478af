import { existsSync, readdirSync, readlinkSync, statfsSync, type Dirent } from 'node:fs';
import path from 'node:path';
import { parseDevpath, type Devpath } from '../vocabulary/devpath.ts';
import { modalias, type Modalias } from '../vocabulary/modalias.ts';
import { readSmallFile } from './small-file.ts';
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

/** Folders nested deeper than this are not looked into; the deepest real ones, USB behind hubs, have some thirty. */
const DEPTH_MAX = 64;
/**
 * Every device below /sys/devices, parents before their children, siblings by name. A device is a folder with a `uevent` file and a
 * `subsystem` link (or, in a fixture that can hold no links, a SUBSYSTEM line in its uevent file). Links are read, never followed.
 * What vanishes during the walk is left out. Synchronous, since some thousand short calls are quicker than as many promises.
 * Source: Documentation/ABI/testing/sysfs-uevent, Documentation/admin-guide/sysfs-rules.rst.
 */
export function walkSysfs(root: Pick<SystemRoot, 'sys'>): SysfsDevice[] {
  return [...walkingSysfs(root)];
}

/** The same, each device as it is when it is asked for. */
export function walkingSysfs({ sys }: Pick<SystemRoot, 'sys'>): IterableIterator<SysfsDevice> {
  return walkFolder(sys, '/devices', 0);
}

function* walkFolder(sys: string, folder: string, depth: number): IterableIterator<SysfsDevice> {
  if (depth > DEPTH_MAX) return;
  const entries = entriesOf(sys + folder);
  if (entries === undefined) return;
  const folders: string[] = [];
  const names = new Set<string>();
  for (const entry of entries) {
    if (entry.isDirectory()) folders.push(entry.name);
    else names.add(entry.name);
  }
  if (names.has('uevent')) {
    const device = readDevice(sys, folder, name => names.has(name));
    if (device !== undefined) yield device;
  }
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

/** One device by its devpath, or undefined when there is none. */
export function readSysfsDevice({ sys }: Pick<SystemRoot, 'sys'>, devpath: Devpath): SysfsDevice | undefined {
  // Every device of a real tree has a subsystem.
  return readDevice(sys, devpath, name => name === 'subsystem' || existsSync(`${sys}${devpath}/${name}`));
}

/** `has` tells whether a link is there: reading one that is not tells it by an exception, which takes longer than all the rest. */
function readDevice(sys: string, folder: string, has: (name: string) => boolean): SysfsDevice | undefined {
  const devpath = parseDevpath(folder);
  const text = devpath === undefined ? undefined : readSmallFile(`${sys}${folder}/uevent`);
  if (devpath === undefined || text === undefined) return undefined;
  const env = parseUeventFile(text);
  const link = (name: string): string | undefined => (has(name) ? linkName(`${sys}${folder}/${name}`) : undefined);
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
