import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readModprobeConfig } from '../kmod/config/modprobe-config.ts';
import { ModuleTree } from '../kmod/module-tree.ts';
import { mapFile } from '../kernel/memory.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';
import type { Problem } from '../vocabulary/place.ts';

/** A module world and how it was come by. */
export interface OpenedWorld extends ModuleWorld {
  /** Folders looked in for the release's modules, in order. */
  readonly lookedIn: readonly string[];
  /** Whether one of them was there. */
  readonly hasTree: boolean;
  readonly problems: readonly Problem[];
  /** Files and folders whose change makes this world stale. */
  readonly watched: readonly string[];
}

/** The first 4,095 bytes are what libkmod reads of the kernel command line. */
const COMMAND_LINE_MAX_BYTES = 4095;

/** Reads the module tree of a release and all configuration of modprobe that applies to it. A missing tree is an empty one. */
export function openWorld(roots: SystemRoot, release: string): OpenedWorld {
  const lookedIn = treeFolders(roots, release);
  const found = lookedIn.find(folder => existsSync(folder));
  const dir = found ?? lookedIn[0] ?? path.join(roots.root, 'lib/modules', release);
  const tree = ModuleTree.open(dir, { caches: { dir: path.join(roots.stateDir, 'cache'), read: mapFile } });
  const config = readModprobeConfig({
    dirs: roots.modprobeDirs,
    treeFiles: [tree.softdepFile, tree.weakdepFile],
    commandLine: readCommandLine(roots.proc),
  });
  return {
    tree,
    config,
    lookedIn,
    hasTree: found !== undefined,
    // The tree is read as it is asked, so that its problems come with time.
    get problems() {
      return [...tree.problems, ...config.problems];
    },
    watched: [dir, ...config.files],
  };
}

/** Folders a release's modules may be in, in the order they are tried. A named folder may be the release's own, or the one above it. */
export function treeFolders({ modulesRoots, modulesAreNamed }: SystemRoot, release: string): readonly string[] {
  return modulesRoots.flatMap(folder => {
    const below = `${folder}/${release}`;
    const isReleaseFolder =
      modulesAreNamed && ['modules.dep', 'modules.order', 'kernel'].some(name => existsSync(`${folder}/${name}`));
    return isReleaseFolder ? [folder] : [below];
  });
}

/** What the kernel was started with, as far as libkmod reads it; empty where there is none. */
export function readCommandLine(procRoot: string): { text: string; file: string } {
  const file = `${procRoot}/cmdline`;
  try {
    return { text: readFileSync(file, 'latin1').slice(0, COMMAND_LINE_MAX_BYTES), file };
  } catch {
    return { text: '', file };
  }
}
