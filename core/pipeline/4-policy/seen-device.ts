import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readSmallFile } from '../../kernel/small-file.ts';
import { readModalias, readSysfsDevice } from '../../kernel/sysfs.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { readUsbDescriptors } from '../../kernel/usb-descriptors.ts';
import { parentDevpath, type Devpath } from '../../vocabulary/devpath.ts';

/**
 * What a decision about a device is bound to: not only its place, which the next device in the same port has too, but what it showed
 * of itself. All are texts, so that they can stand in a file.
 */
export interface SeenDevice {
  readonly devpath: Devpath;
  readonly modalias?: string;
  /** SHA-256 of the USB device's descriptors, in hexadecimal: every interface it has, its serial's index, its power. */
  readonly descriptors?: string;
  /** Of a block device: the kernel counts every disk that ever was. Source: Documentation/ABI/stable/sysfs-block, diskseq. */
  readonly diskseq?: string;
  /** Of the device's folder in sysfs: another device in the same place has another. */
  readonly inode?: string;
}

/** Looks at a device as it is now; undefined when it is gone. Source: Documentation/ABI/testing/sysfs-bus-usb, descriptors. */
export function seeDevice(roots: Pick<SystemRoot, 'sys'>, devpath: Devpath): SeenDevice | undefined {
  const folder = `${roots.sys}${devpath}`;
  const inode = statSync(folder, { throwIfNoEntry: false })?.ino.toString();
  if (inode === undefined) return undefined;
  const isInterface = existsSync(`${folder}/bInterfaceNumber`);
  const bytes = readUsbDescriptors(isInterface ? `${roots.sys}${parentDevpath(devpath) ?? devpath}` : folder);
  const descriptors = bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex');
  // A USB device as a whole has no modalias, and its uevent file is held back while its parts get their drivers.
  const asked = readModalias(roots, devpath);
  const modalias = asked ?? (bytes === undefined ? readSysfsDevice(roots, devpath)?.modalias : undefined);
  const diskseq = readSmallFile(`${folder}/diskseq`)?.trim();
  return {
    devpath,
    ...(modalias === undefined ? {} : { modalias }),
    ...(descriptors === undefined ? {} : { descriptors }),
    ...(diskseq === undefined ? {} : { diskseq }),
    inode,
  };
}

/** What is no longer as it was seen, in words; empty when it is the very device. */
export function differences(seen: SeenDevice, now: SeenDevice | undefined): readonly string[] {
  if (now === undefined) return ['it is gone'];
  const keys = ['devpath', 'modalias', 'descriptors', 'diskseq', 'inode'] as const;
  return keys.flatMap(key =>
    seen[key] === now[key] ? [] : [`its ${key} was ${seen[key] ?? 'none'} and is ${now[key] ?? 'none'}`],
  );
}

/** Whether the two show the same of themselves, wherever they are plugged in. */
export function looksLike(seen: SeenDevice, now: SeenDevice): boolean {
  return seen.modalias === now.modalias && seen.descriptors === now.descriptors;
}
