import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Problem } from '../../vocabulary/place.ts';

/** Largest configuration file read, in bytes; a distribution's largest has a few kilobytes. */
export const CONF_FILE_MAX_BYTES = 4 * 1024 * 1024;

/** Which files a set of configuration folders comes to. */
export interface ConfFiles {
  /** Paths in the order they are read. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Folders, strongest first, and single files → the files to read: `*.conf`, not hidden, no sub-folders. Of files with one name only
 * that of the strongest folder counts. All are read in byte order of their names, whatever folder they are in. `named` files
 * take part under their own names and before any folder. A folder that is not there is fine.
 * Source: modprobe.d(5), depmod.d(5); kmod libkmod-config.c, conf_files_list.
 */
export function listConfFiles(dirs: readonly string[], named: readonly string[] = []): ConfFiles {
  const byName = new Map<string, string>();
  const problems: Problem[] = [];
  for (const file of named) {
    const name = path.basename(file);
    if (!byName.has(name)) byName.set(name, file);
  }
  for (const dir of dirs) {
    for (const name of namesIn(dir, problems)) {
      if (name.startsWith('.') || !name.endsWith('.conf')) continue;
      const file = `${dir}/${name}`;
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
        problems.push({ place: { file }, message: 'found a folder, wanted a file: folders inside are not read' });
      } else if (!byName.has(name)) byName.set(name, file);
    }
  }
  const files = [...byName].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return { files: files.map(([, file]) => file), problems };
}

function namesIn(dir: string, problems: Problem[]): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      problems.push({ place: { file: dir }, message: `the folder cannot be read: ${(error as Error).message}` });
    }
    return [];
  }
}

/**
 * What a command line names in place of the configured folders (-C) → the files among it, and the folders. Without any, the
 * configured folders.
 */
export function namedSources(
  dirs: readonly string[],
  files: readonly string[] | undefined,
): { readonly dirs: readonly string[]; readonly files: readonly string[] } {
  if (files === undefined) return { dirs, files: [] };
  return { dirs: files.filter(isFolder), files: files.filter(file => !isFolder(file)) };
}

/** Text of a configuration file; undefined, with a problem, when it cannot be read. An optional one may be missing. */
export function readConfFile(
  file: string,
  problems: Problem[],
  { isOptional = false }: { readonly isOptional?: boolean } = {},
): string | undefined {
  try {
    const { size } = statSync(file);
    if (size <= CONF_FILE_MAX_BYTES) return readFileSync(file, 'utf8');
    problems.push({ place: { file }, message: `has ${size} bytes, at most ${CONF_FILE_MAX_BYTES} are read` });
  } catch (error) {
    if (isOptional && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    problems.push({ place: { file }, message: `cannot be read: ${(error as Error).message}` });
  }
  return undefined;
}

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
