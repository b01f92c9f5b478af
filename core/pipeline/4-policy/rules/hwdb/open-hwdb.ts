import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { HwdbBin } from './hwdb-bin.ts';
import { HwdbText, parseHwdb } from './hwdb-text.ts';
import type { Hwdb } from './hwdb.ts';

/** Where the compiled database is looked for, below the root; the first that is there. Source: hwdb(7). */
const COMPILED = [
  'etc/systemd/hwdb/hwdb.bin',
  'etc/udev/hwdb.bin',
  'usr/lib/systemd/hwdb/hwdb.bin',
  'lib/systemd/hwdb/hwdb.bin',
  'lib/udev/hwdb.bin',
  'usr/lib/udev/hwdb.bin',
] as const;

/** Where its sources are, strongest first. */
const SOURCES = [
  'etc/udev/hwdb.d',
  'run/udev/hwdb.d',
  'usr/local/lib/udev/hwdb.d',
  'usr/lib/udev/hwdb.d',
  'lib/udev/hwdb.d',
] as const;

/**
 * The hardware database of a system: hwdb.bin, else the files of hwdb.d; undefined when it has neither.
 * @throws {UsherdError} HWDB_DAMAGED, FILE_UNREADABLE
 */
export function openHwdb(root: string): Hwdb | undefined {
  const compiled = COMPILED.map(name => path.join(root, name)).find(file => existsSync(file));
  if (compiled !== undefined) return HwdbBin.open(compiled);
  const files = sourceFiles(root);
  if (files.length === 0) return undefined;
  return new HwdbText(files.map(file => parseHwdb(readFileSync(file, 'utf8'), file).records));
}

/** Of files with one name that of the strongest folder counts; all are read by name. */
export function sourceFiles(root: string): readonly string[] {
  const byName = new Map<string, string>();
  for (const folder of SOURCES.map(name => path.join(root, name))) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (name.endsWith('.hwdb') && !byName.has(name)) byName.set(name, path.join(folder, name));
    }
  }
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}
