import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { DepmodConfig } from './depmod-conf.ts';
import { inHashOrder, MODULE_BUCKETS } from './hash-order.ts';

/** One module file that takes part. */
export interface ScannedModule {
  readonly name: ModuleName;
  /** Where it is. */
  readonly file: string;
  /** As modules.dep has it: relative to the release's folder, absolute for an external one. */
  readonly path: string;
}

/** What the walk of a tree came to. */
export interface ScannedTree {
  /** In the order of depmod's array, which gives every module its priority. */
  readonly modules: readonly ScannedModule[];
  readonly problems: readonly Problem[];
}

/** Deepest folder entered below the release's; the kernel's own has 8. It also ends links that lead in a circle. */
export const TREE_DEPTH_MAX = 32;
/** Most module files one tree may have; a distribution's largest has under 10,000. */
export const TREE_MODULES_MAX = 100_000;

const MODULE_SUFFIX = /\.ko(?:\.gz|\.xz|\.zst)?$/;
/** Links from the release's folder to the kernel's sources. */
const SOURCE_FOLDERS = new Set(['build', 'source']);

/**
 * Folder of one release → its modules. Of several files with one name the configuration decides; where it does not, the first
 * path in byte order stays and a problem names both (kmod takes what readdir(3) happens to give it). Links are followed.
 * Source: depmod(8), depmod.d(5); kmod tools/depmod.c, depmod_modules_search, depmod_modules_sort.
 */
export function scanTree(dir: string, config: DepmodConfig): ScannedTree {
  const problems: Problem[] = [];
  const chosen = new Map<ModuleName, ScannedModule>();
  const excluded = new Set([...SOURCE_FOLDERS, ...config.excluded]);
  const consider = (candidate: ScannedModule): void => {
    const known = chosen.get(candidate.name);
    if (known === undefined) {
      chosen.set(candidate.name, candidate);
      return;
    }
    const difference = strength(candidate, config) - strength(known, config);
    if (difference > 0) chosen.set(candidate.name, candidate);
    if (difference === 0) {
      problems.push({
        place: { file: candidate.file },
        message: `is a second "${candidate.name}" besides ${known.path}, which stays; a search line in depmod.d can decide`,
      });
    }
  };
  walk(dir, '', excluded, consider, problems);
  for (const external of config.externals) {
    walk(external, '', excluded, found => consider({ ...found, path: found.file }), problems);
  }
  const named = inHashOrder([...chosen.values()], ({ name }) => name, MODULE_BUCKETS);
  return { modules: inLinkOrder(named, path.join(dir, 'modules.order'), problems), problems };
}

/**
 * Module files named one by one → the modules, in the same order as if a walk had found them. What depmod.d says does not count.
 * Source: kmod tools/depmod.c, depmod_module_add, for the path: it is compared as a text, nothing is resolved.
 */
export function namedModules(dir: string, files: readonly string[]): ScannedTree {
  const problems: Problem[] = [];
  const modules = files.map(file => ({
    name: moduleNameOfPath(path.basename(file)),
    file,
    path: file.startsWith(`${dir}/`) ? file.slice(dir.length + 1) : file,
  }));
  const named = inHashOrder(modules, ({ name }) => name, MODULE_BUCKETS);
  return { modules: inLinkOrder(named, path.join(dir, 'modules.order'), problems), problems };
}

function walk(
  root: string,
  below: string,
  excluded: ReadonlySet<string>,
  found: (module: ScannedModule) => void,
  problems: Problem[],
  budget = { modules: TREE_MODULES_MAX },
  depth = 0,
): void {
  const folder = below === '' ? root : `${root}/${below}`;
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    problems.push({ place: { file: folder }, message: `cannot be read: ${(error as Error).message}` });
    return;
  }
  for (const entry of entries) {
    const { name } = entry;
    if (excluded.has(name)) continue;
    const relative = below === '' ? name : `${below}/${name}`;
    const kind = kindOf(entry, `${root}/${relative}`);
    if (kind === 'folder') {
      if (depth < TREE_DEPTH_MAX) walk(root, relative, excluded, found, problems, budget, depth + 1);
      else
        problems.push({
          place: { file: `${root}/${relative}` },
          message: `is more than ${TREE_DEPTH_MAX} folders deep`,
        });
    } else if (kind === 'file' && MODULE_SUFFIX.test(name)) {
      if (budget.modules-- <= 0) {
        if (budget.modules === -1) {
          problems.push({
            place: { file: root },
            message: `has more than ${TREE_MODULES_MAX} modules; the rest is left out`,
          });
        }
        return;
      }
      found({ name: moduleNameOfPath(name), file: `${root}/${relative}`, path: relative });
    }
  }
}

function kindOf(entry: Dirent, file: string): 'file' | 'folder' | 'other' {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() ? 'file' : stats?.isDirectory() ? 'folder' : 'other';
}

/** How strong a file's place makes it among files of its name; larger wins. An override beats every search line. */
function strength({ path: modulePath }: ScannedModule, { search, overrides, externals }: DepmodConfig): number {
  const slash = modulePath.lastIndexOf('/');
  const base = modulePath.slice(slash + 1);
  const stem = modulePath.slice(0, slash + 1) + base.slice(0, base.indexOf('.'));
  const override = overrides.findIndex(({ module, folder }) => stem === `${folder}/${module}`);
  if (override >= 0) return search.length + overrides.length - override;
  const isExternal = externals.some(folder => modulePath.startsWith(`${folder}/`));
  const own = search.findIndex(place =>
    place === 'external' ? isExternal : place !== 'built-in' && modulePath.startsWith(`${place}/`),
  );
  const builtIn = search.indexOf('built-in');
  const position = own >= 0 ? own : builtIn >= 0 ? builtIn : search.length;
  return search.length - position;
}

/** Modules that modules.order lists come first, in its order; the paths in it have no compression suffix. */
function inLinkOrder(modules: readonly ScannedModule[], file: string, problems: Problem[]): readonly ScannedModule[] {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    problems.push({
      place: { file },
      message: `cannot be read, so modules have no order: ${(error as Error).message}`,
    });
    return modules;
  }
  if (text !== '' && !text.endsWith('\n')) {
    problems.push({
      place: { file },
      message: 'its last line has no newline, so it is cut off and no order is taken from it',
    });
    return modules;
  }
  const positions = new Map(text.split('\n').map((line, position) => [line, position]));
  const positionOf = ({ path: modulePath }: ScannedModule): number =>
    positions.get(modulePath.replace(/\.ko\.\w+$/, '.ko')) ?? Number.MAX_SAFE_INTEGER;
  return modules
    .map(module => ({ module, position: positionOf(module) }))
    .toSorted((a, b) => a.position - b.position)
    .map(({ module }) => module);
}
