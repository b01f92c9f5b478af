import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readCommandLine, treeFolders } from '../../daemon/module-world.ts';
import { ModprobeConfig, readModprobeConfig } from '../../kmod/config/modprobe-config.ts';
import { ModuleTree } from '../../kmod/module-tree.ts';
import type { ModuleWorld } from '../../pipeline/5-resolve/probe-list.ts';
import type { ToolRun } from './tool.ts';

/** Where a tool was told to look for modules. */
export interface TreePlace {
  /** `-d`, `-b`: the root of lib/modules. */
  readonly base?: string | undefined;
  /** `-S`, `-k`: the release. */
  readonly version?: string | undefined;
}

/**
 * The module tree a tool works on: BASE/lib/modules/VERSION as written, made absolute, when either was named, else the running
 * release's. A folder that is not there makes an empty tree.
 */
export function openTree({ roots, valueOf }: ToolRun, { base, version }: TreePlace): ModuleTree {
  const release = version ?? valueOf('kernel') ?? os.release();
  const caches = { dir: path.join(roots.stateDir, 'cache') };
  if (base !== undefined || (version !== undefined && !roots.modulesAreNamed && roots.root === '/')) {
    const dir = `${base ?? ''}/lib/modules/${release}`;
    return shelvedTree(path.isAbsolute(dir) ? dir : `${process.cwd()}/${dir}`, caches);
  }
  const folders = treeFolders(roots, release);
  return shelvedTree(folders.find(folder => existsSync(folder)) ?? folders[0] ?? roots.root, caches);
}

/** Trees that were opened in this process and have not changed since: whoever answers many command lines reads each once. */
const shelf = new Map<string, ModuleTree>();
/** Releases a machine has; beyond it all are opened anew. */
const SHELF_MAX_TREES = 8;

function shelvedTree(dir: string, caches: { readonly dir: string }): ModuleTree {
  const key = `${dir}\0${caches.dir}`;
  const known = shelf.get(key);
  if (known !== undefined && !known.isStale()) return known;
  if (shelf.size >= SHELF_MAX_TREES) shelf.clear();
  const tree = ModuleTree.open(dir, { caches });
  shelf.set(key, tree);
  return tree;
}

/** A tree without any of modprobe's configuration: what modinfo(8) looks at. */
export function bareWorld(run: ToolRun, place: TreePlace): ModuleWorld {
  return { tree: openTree(run, place), config: new ModprobeConfig([]) };
}

/**
 * A tree with modprobe's configuration: the folders of the system or the files and folders named with -C. Lines that were not
 * understood are reported as errors, as kmod does.
 */
export function configuredWorld(run: ToolRun, place: TreePlace): ModuleWorld {
  const { roots, log, valuesOf } = run;
  const tree = openTree(run, place);
  const named = valuesOf('config');
  const config = readModprobeConfig({
    dirs: roots.modprobeDirs,
    files: named.length === 0 ? undefined : named,
    treeFiles: [tree.softdepFile, tree.weakdepFile],
    commandLine: readCommandLine(roots.proc),
  });
  for (const { place: at, message } of config.problems) {
    const text = `${at.file}${at.line === undefined ? '' : ` line ${at.line}`}: ${message}`;
    if (at.file === path.join(roots.proc, 'cmdline')) log.info(text);
    else log.error(text);
  }
  return { tree, config };
}
