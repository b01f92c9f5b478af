import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
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

/** Deepest folder entered below the release's; the kernel's own has 8. */
export const TREE_DEPTH_MAX = 32;
/** Most module files one tree may have; a distribution's largest has under 10,000. */
export const TREE_MODULES_MAX = 100_000;
/** Most folders that are entered in one tree; a distribution's largest has some 1500. Links from folder to folder could be without number. */
export const TREE_FOLDERS_MAX = 100_000;

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
  new Walk(dir, excluded, consider, problems).enter('', realPath(dir), 0);
  for (const external of config.externals) {
    const found = (module: ScannedModule): void => consider({ ...module, path: module.file });
    new Walk(external, excluded, found, problems).enter('', realPath(external), 0);
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

/** One walk through a folder, within its bounds. Each bound that is reached is said once. */
class Walk {
  readonly #root: string;
  readonly #excluded: ReadonlySet<string>;
  readonly #found: (module: ScannedModule) => void;
  readonly #problems: Problem[];
  /** Real paths of the folders it is in: a link to one of them leads in a circle. */
  readonly #inside = new Set<string>();
  #modules = 0;
  #folders = 0;

  constructor(
    root: string,
    excluded: ReadonlySet<string>,
    found: (module: ScannedModule) => void,
    problems: Problem[],
  ) {
    this.#root = root;
    this.#excluded = excluded;
    this.#found = found;
    this.#problems = problems;
  }

  /** @param real where the folder is once links are followed */
  enter(below: string, real: string, depth: number): void {
    const folder = below === '' ? this.#root : `${this.#root}/${below}`;
    if (this.#inside.has(real)) {
      this.#tell(folder, `leads back to ${real}, which it is in`);
      return;
    }
    if (this.#folders++ >= TREE_FOLDERS_MAX) {
      if (this.#folders === TREE_FOLDERS_MAX + 1)
        this.#tell(this.#root, `has more than ${TREE_FOLDERS_MAX} folders; the rest is left out`);
      return;
    }
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      this.#tell(folder, `cannot be read: ${(error as Error).message}`);
      return;
    }
    this.#inside.add(real);
    for (const entry of entries) this.#take(entry, below, real, depth);
    this.#inside.delete(real);
  }

  #take(entry: Dirent, below: string, real: string, depth: number): void {
    const { name } = entry;
    if (this.#excluded.has(name)) return;
    const relative = below === '' ? name : `${below}/${name}`;
    const file = `${this.#root}/${relative}`;
    const kind = kindOf(entry, file);
    if (kind === 'folder') {
      if (depth < TREE_DEPTH_MAX) {
        this.enter(relative, entry.isDirectory() ? `${real}/${name}` : realPath(file), depth + 1);
      } else this.#tell(file, `is more than ${TREE_DEPTH_MAX} folders deep`);
    } else if (kind === 'file' && MODULE_SUFFIX.test(name)) {
      if (this.#modules++ < TREE_MODULES_MAX) this.#found({ name: moduleNameOfPath(name), file, path: relative });
      else if (this.#modules === TREE_MODULES_MAX + 1)
        this.#tell(this.#root, `has more than ${TREE_MODULES_MAX} modules; the rest is left out`);
    }
  }

  #tell(file: string, message: string): void {
    this.#problems.push({ place: { file }, message });
  }
}

/** A folder that is not there stays as it is written: reading it says what is wrong. */
function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
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
  const lines = text.split('\n');
  const positions = new Map<string, number>();
  for (let position = 0; position < lines.length; position++) positions.set(lines[position] ?? '', position);
  const placed: (ScannedModule | undefined)[] = [];
  const others: ScannedModule[] = [];
  for (const module of modules) {
    const position = positions.get(
      module.path.endsWith('.ko') ? module.path : module.path.replace(/\.ko\.\w+$/, '.ko'),
    );
    if (position === undefined) others.push(module);
    else placed[position] = module;
  }
  return [...placed.filter(module => module !== undefined), ...others];
}
