import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { nativeIfLoaded } from './native.ts';

/** What one read of an attribute gives at most. Source: fs/sysfs/file.c, PAGE_SIZE. */
const TEXT_MAX_BYTES = 4096;

const buffer = Buffer.allocUnsafe(TEXT_MAX_BYTES);

/**
 * Text of a file that the kernel makes as it is read (sysfs, proc), at most one page; undefined when there is none, when it refuses to be
 * read now (EIO, EAGAIN), or when the device went away between open and read (ENODEV). One call where the addon is there: a driver
 * waits for a dozen of them.
 */
export function readSmallFile(file: string): string | undefined {
  const addon = nativeIfLoaded();
  return addon === undefined ? readByNode(file) : textOf(addon.readText(file));
}

/**
 * The same of several, on a thread of its own where the addon is there: the kernel holds some attributes back for as long as a driver is
 * at work on the device, and what has to be read must not keep the events of others waiting.
 */
export async function readSmallFiles(files: readonly string[]): Promise<readonly (string | undefined)[]> {
  const texts = await nativeIfLoaded()?.readTexts(files);
  return typeof texts === 'object' ? texts.map(textOf) : files.map(readSmallFile);
}

function textOf(answer: string | number): string | undefined {
  return typeof answer === 'string' ? answer : undefined;
}

function readByNode(file: string): string | undefined {
  // An exception takes longer than all the rest, and many a module is not loaded.
  if (!existsSync(file)) return undefined;
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, TEXT_MAX_BYTES, 0));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
