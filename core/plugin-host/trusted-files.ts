import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import path from 'node:path';

/** A plugin larger than this is something else. */
const FILES_MAX = 4096;
const BYTES_MAX = 64 * 1024 * 1024;

const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** The files of a plugin, all of them somebody's who may decide about this machine; or why they are not. */
export type TrustedFiles =
  | {
      /** SHA-256 over names and contents, in hexadecimal. */
      readonly hash: string;
      readonly files: readonly string[];
      /** SHA-256 of each file, by its path in the extent; a plugin that is one file has its name. */
      readonly digests: ReadonlyMap<string, string>;
      /** The extent without any link in its path. */
      readonly extent: string;
    }
  | { readonly distrust: string };

/**
 * A plugin's file or folder → its files with one hash over them, if each of them, each folder in it and each folder above it belongs to
 * root or to `uid`, and nobody else may write to it. A folder with the sticky bit, as /tmp, may be written to by all: what is in it
 * cannot be taken away. Links in a plugin are refused: what they point to has another path.
 */
export function readTrustedFiles(extent: string, uid: number): TrustedFiles {
  try {
    const real = realpathSync(extent);
    for (let above = path.dirname(real); ; above = path.dirname(above)) {
      const distrust = distrustOf(above, lstatSync(above), uid);
      if (distrust !== undefined) return { distrust };
      if (above === path.dirname(above)) break;
    }
    const files: string[] = [];
    const distrust = walk(real, uid, files);
    if (distrust !== undefined) return { distrust };
    const digests = new Map<string, string>();
    let sizeBytes = 0;
    for (const file of files) {
      const bytes = readFileSync(file);
      sizeBytes += bytes.length;
      if (sizeBytes > BYTES_MAX) return { distrust: `${real} has more than ${BYTES_MAX} bytes` };
      digests.set(path.relative(real, file) || path.basename(file), sha256(bytes));
    }
    const hash = sha256([...digests].map(([name, digest]) => `${name}\0${digest}\n`).join(''));
    return { hash, files, digests, extent: real };
  } catch (error) {
    return { distrust: (error as Error).message };
  }
}

/** How a plugin's files differ from those before: `+NAME` is new, `-NAME` is gone, `~NAME` is another. */
export function fileChanges(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  const names = [...new Set([...before.keys(), ...now.keys()])].toSorted();
  return names.flatMap(name => {
    if (before.get(name) === now.get(name)) return [];
    return [`${before.has(name) ? (now.has(name) ? '~' : '-') : '+'}${name}`];
  });
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function walk(file: string, uid: number, files: string[]): string | undefined {
  const stats = lstatSync(file);
  const distrust = distrustOf(file, stats, uid);
  if (distrust !== undefined) return distrust;
  if (stats.isFile()) {
    files.push(file);
    return files.length > FILES_MAX ? `there are more than ${FILES_MAX} files in it` : undefined;
  }
  if (!stats.isDirectory()) return `${file} is neither a file nor a folder`;
  for (const name of readdirSync(file).toSorted()) {
    const inner = walk(path.join(file, name), uid, files);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function distrustOf(file: string, stats: Stats, uid: number): string | undefined {
  if (stats.uid !== 0 && stats.uid !== uid)
    return `${file} belongs to user ${stats.uid}, wanted root${uid === 0 ? '' : ` or user ${uid}`}`;
  const isSticky = stats.isDirectory() && (stats.mode & STICKY) !== 0;
  if ((stats.mode & GROUP_OR_OTHERS_WRITE) !== 0 && !isSticky && !stats.isSymbolicLink())
    return `${file} has mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')}: others than its owner may write to it`;
  return undefined;
}
