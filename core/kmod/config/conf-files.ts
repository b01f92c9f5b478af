import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Problem } from '../../vocabulary/place.ts';

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
      const file = path.join(dir, name);
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
