import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  globSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import path from 'node:path';
import { aliasCacheFile } from '../../core/kmod/lookup/alias-cache.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { cached } from '../support/debian-packages.ts';
import type { DebianKernel } from './debian-kernel.ts';

const dist = path.resolve(import.meta.dirname, '../../dist');

/** What depmod reads and a kernel package ships; the indexes it makes stay behind. */
const SHIPPED_BESIDE_MODULES = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];

/** Names of such folders in the cache begin so; each belongs to one build of usherd. */
export const INDEXED_TREE = 'vm-tree-';

/** A release's folder with its indexes, and usherd's state folder on a machine where it has started before. Files are to be linked. */
export interface IndexedTree {
  readonly modulesDir: string;
  readonly stateDir: string;
}

/** What a tree has more than the kernel's, and less. */
export interface TreeChanges {
  /** Files for its updates/, by name. */
  readonly modules: Readonly<Record<string, string>>;
  /** Folders left out, relative to its kernel/. */
  readonly without: readonly string[];
}

/**
 * The whole module tree of a kernel, indexed by usherd's own depmod as built: everything that is looked up in a guest comes from here.
 * Made once, for all machines with the same.
 */
export async function indexedTree(
  { release, modulesDir: shipped }: DebianKernel,
  { modules, without }: TreeChanges,
): Promise<IndexedTree> {
  const { mtimeMs } = statSync(path.join(shipped, 'modules.order'));
  const hash = createHash('sha256').update(JSON.stringify([modules, without, mtimeMs]));
  for (const name of globSync('*.cjs', { cwd: dist }).toSorted()) hash.update(readFileSync(path.join(dist, name)));
  const root = await cached(`${INDEXED_TREE}${release}-${hash.digest('hex').slice(0, 12)}`, dir => {
    const tree = path.join(dir, 'lib/modules', release);
    linkTree(path.join(shipped, 'kernel'), path.join(tree, 'kernel'));
    for (const folder of without) rmSync(path.join(tree, 'kernel', folder), { recursive: true });
    for (const name of SHIPPED_BESIDE_MODULES) linkSync(path.join(shipped, name), path.join(tree, name));
    mkdirSync(path.join(tree, 'updates'));
    for (const [name, file] of Object.entries(modules)) copyFileSync(file, path.join(tree, 'updates', name));
    execFileSync(process.execPath, [path.join(dist, 'usher'), 'depmod', '-b', dir, release]);
    compileAliases(tree, path.join(dir, 'state/cache'), `/lib/modules/${release}`);
  });
  const now = new Date();
  utimesSync(root, now, now);
  return { modulesDir: path.join(root, 'lib/modules', release), stateDir: path.join(root, 'state') };
}

/** What a first start does, which takes an emulated processor ten seconds: the caches for a tree that will lie in the folder `guestTree`. */
function compileAliases(tree: string, cacheDir: string, guestTree: string): void {
  const opened = ModuleTree.open(tree, { caches: { dir: cacheDir } });
  opened.prepare();
  for (const index of [opened.aliasIndex(), opened.builtinAliasIndex()]) {
    const inGuest = path.join(guestTree, path.basename(index.file));
    renameSync(aliasCacheFile(cacheDir, index.file), aliasCacheFile(cacheDir, inGuest));
  }
}

/** Links a folder's files one by one: a folder cannot be linked, and a copy of 400 MB takes its time. */
export function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of globSync('**/*', { cwd: from, withFileTypes: true })) {
    const target = path.join(to, path.relative(from, path.join(entry.parentPath, entry.name)));
    if (entry.isDirectory()) mkdirSync(target, { recursive: true });
    else {
      mkdirSync(path.dirname(target), { recursive: true });
      linkSync(path.join(entry.parentPath, entry.name), target);
    }
  }
}
