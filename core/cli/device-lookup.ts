import { realpathSync } from 'node:fs';
import path from 'node:path';
import { listDeviceFolders, readSysfsDevice, walkSysfs, type SysfsDevice } from '../kernel/sysfs.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { globMatches } from '../kmod/lookup/glob.ts';
import type { Devpath } from '../vocabulary/devpath.ts';

/** A person's word for devices → those it means, parents first. What is called by its path or name is read, and nothing else. */
export function findDevices(word: string, roots: SystemRoot): readonly SysfsDevice[] {
  return findDevpaths(word, roots).flatMap(devpath => readSysfsDevice(roots, devpath) ?? []);
}

/** The same without reading what a driver that is trying one of them holds back: nothing but links of what is called by its path or name. */
export function findDevpaths(word: string, roots: SystemRoot): readonly Devpath[] {
  if (isNode(word)) {
    const isMeant = deviceMatcher(word, roots);
    return walkSysfs(roots).flatMap(device => (isMeant(device) ? device.devpath : []));
  }
  const isMeant = pathMatcher(word, roots);
  return [...listDeviceFolders(roots)].flatMap(({ devpath, has }) => {
    // A fixture that can hold no links says in the uevent file that it is a device.
    const isDevice = isMeant(devpath) && (has('subsystem') || readSysfsDevice(roots, devpath) !== undefined);
    return isDevice ? devpath : [];
  });
}

/**
 * A person's word for devices → whether it means this one: a devpath, a path below /sys (also through /sys/class or /sys/bus), a
 * sysname (`2-1:1.0`), a node (`/dev/sda`), or a pattern of a devpath or sysname.
 */
export function deviceMatcher(word: string, roots: SystemRoot): (device: SysfsDevice) => boolean {
  if (isNode(word)) return ({ devname }) => devname === word.slice('/dev/'.length);
  const isMeant = pathMatcher(word, roots);
  return ({ devpath }) => isMeant(devpath);
}

function isNode(word: string): boolean {
  return word.startsWith('/dev/');
}

function pathMatcher(word: string, roots: SystemRoot): (devpath: Devpath) => boolean {
  const pattern = devpathOf(word, roots);
  return devpath => globMatches(pattern, devpath) || globMatches(pattern, devpath.slice(devpath.lastIndexOf('/') + 1));
}

/** /sys/class/net/eth0 is a link into /sys/devices; a devpath has no /sys before it. */
function devpathOf(word: string, { sys }: SystemRoot): string {
  const trimmed = word.length > 1 ? word.replace(/\/$/, '') : word;
  const below = trimmed.startsWith('/sys/') ? path.join(sys, trimmed.slice('/sys'.length)) : trimmed;
  if (!below.startsWith(`${sys}/`)) return trimmed;
  try {
    return realpathSync(below).slice(realpathSync(sys).length);
  } catch {
    return below.slice(sys.length);
  }
}
