import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../errors.ts';
import { readModuleFacts } from '../kernel/module-facts.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import { matchAlias } from '../pipeline/3-match/match-device.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';

/** Most names that are looked for at once; a module for many devices declares some hundred. */
export const FIRMWARE_MAX = 128;
/** A record of the kernel's log has at most this many bytes. Source: kernel/printk, PRINTK_MESSAGE_MAX. */
const RECORD_MAX_BYTES = 8192;
/** Records that are gone through; the default ring has room for some thousand. */
const RECORDS_MAX = 200_000;

/**
 * Firmware files that a device needs and that are not there: those the kernel's log has asked for in vain on behalf of the device, then
 * those the modules that claim it declare. A name with `..` or of another form than a file's is no name.
 */
export function missingFirmware(
  { modalias, devpath }: { readonly modalias: string; readonly devpath?: string },
  world: ModuleWorld,
  roots: SystemRoot,
  release: string,
): readonly string[] {
  const device = devpath === undefined ? undefined : path.basename(devpath);
  const asked =
    device === undefined || !roots.isRunningSystem
      ? []
      : askedInVain(readKernelLog(path.join(roots.dev, 'kmsg')), device);
  const declared = matchAlias(modalias, world).flatMap(({ module }) => {
    const entry = world.tree.module(module);
    const file = entry === undefined ? undefined : world.tree.filePath(entry);
    if (file === undefined || !existsSync(file)) return [];
    try {
      return readModuleFacts(file, { root: roots.root, release })
        .firmware.filter(({ isPresent, name }) => !isPresent && !name.includes('*'))
        .map(({ name }) => name);
    } catch (error) {
      if (!(error instanceof UsherdError)) throw error;
      return [];
    }
  });
  return [...new Set([...asked, ...declared])].filter(name => isFirmwareName(name)).slice(0, FIRMWARE_MAX);
}

/**
 * Messages of the kernel → files it could not find for a device. Source: drivers/base/firmware_loader/main.c:
 * `iwlwifi 0000:02:00.0: Direct firmware load for iwlwifi-7260-17.ucode failed with error -2`.
 */
export function askedInVain(messages: readonly string[], device: string): readonly string[] {
  return messages.flatMap(message => {
    const [, who, name] = /(\S+): Direct firmware load for (\S+) failed with error -2/.exec(message) ?? [];
    return who === device && name !== undefined ? [name] : [];
  });
}

function isFirmwareName(name: string): boolean {
  return /^[\w@+,.-][\w@+,. /-]*$/.test(name) && !name.split('/').includes('..') && name.length < 256;
}

/** Messages of the kernel's ring buffer; none where it may not be read. Source: Documentation/ABI/testing/dev-kmsg. */
function readKernelLog(file: string): readonly string[] {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return [];
  }
  const messages: string[] = [];
  const record = Buffer.alloc(RECORD_MAX_BYTES);
  try {
    for (let n = 0; n < RECORDS_MAX; n++) {
      const text = readRecord(fd, record);
      if (text === undefined) break;
      messages.push(text);
    }
  } finally {
    closeSync(fd);
  }
  return messages;
}

/** The next record's message; undefined at the end. A record that was overwritten meanwhile (EPIPE) is an empty one. */
function readRecord(fd: number, record: Buffer): string | undefined {
  try {
    const text = record.toString('utf8', 0, readSync(fd, record, 0, record.length, null));
    return text === '' ? undefined : text.slice(text.indexOf(';') + 1);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPIPE' ? '' : undefined;
  }
}
