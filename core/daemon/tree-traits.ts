import { readModuleTraits, type ModuleTraits } from '../kernel/module-traits.ts';
import type { ModuleTree } from '../kmod/module-tree.ts';
import type { ModuleName } from '../vocabulary/module-name.ts';

/** Reads what a module says of itself; undefined when there is none. */
export type TraitsReader = (module: ModuleName) => ModuleTraits | undefined;

/** Modules whose file's words are kept; a machine loads some hundred. Beyond it all are forgotten. */
const TRAITS_MAX = 1024;

/** What the modules of a tree say of themselves; each file is read once. */
export function treeTraits(tree: () => ModuleTree): TraitsReader {
  const known = new Map<string, ModuleTraits | undefined>();
  return module => {
    const file = fileOf(module, tree());
    if (file === undefined) return undefined;
    if (!known.has(file)) {
      if (known.size >= TRAITS_MAX) known.clear();
      known.set(file, traitsOfFile(file));
    }
    return known.get(file);
  };
}

function fileOf(module: ModuleName, tree: ModuleTree): string | undefined {
  const entry = tree.module(module);
  return entry === undefined ? undefined : tree.filePath(entry);
}

/** A module file → what it says of itself. One that cannot be read says nothing; the kernel will say what is wrong with it. */
export function traitsOfFile(file: string): ModuleTraits | undefined {
  try {
    return readModuleTraits(file);
  } catch {
    return undefined;
  }
}
