import { existsSync, statSync, watch, type FSWatcher } from 'node:fs';
import path from 'node:path';

/** A package writes dozens of files in one go: changes this close together are one change. */
const CHANGES_ARE_ONE_WITHIN_MS = 200;

/** More folders than any configuration has; beyond it nothing more is watched, and `unwatched` says so. */
const WATCHED_FOLDERS_MAX = 64;

/**
 * Tells once when any of the files or folders changes, appears or goes, by inotify: nothing ticks while nothing happens. A path that
 * does not exist is waited for in the nearest folder above it that does; that a folder on the way to it appears is no change yet.
 */
export class WorldWatch {
  readonly #paths: readonly string[];
  readonly #changed: () => void;
  readonly #there: ReadonlySet<string>;
  #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;
  #hasChanged = false;
  /** Paths beyond the bound, or that inotify refused. */
  readonly unwatched: string[] = [];

  constructor(paths: readonly string[], changed: () => void) {
    this.#paths = paths;
    this.#changed = changed;
    this.#there = new Set(paths.filter(file => existsSync(file)));
    this.#watchAll();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #watchAll(): void {
    const folders = new Map<string, Map<string, Meaning>>();
    const note = (folder: string, name: string, meaning: Meaning): void => {
      const names = folders.get(folder) ?? new Map<string, Meaning>();
      folders.set(folder, names.set(name, names.get(name) === 'change' ? 'change' : meaning));
    };
    for (const file of this.#paths) {
      const { folder, name } = nearestFolder(file);
      note(folder, name, path.join(folder, name) === file ? 'change' : 'way');
      // A file's fate is seen in its folder; a folder is watched itself, for whatever comes and goes in it.
      if (isFolder(file)) note(file, ANY_NAME, 'change');
    }
    for (const [folder, names] of folders) this.#watch(folder, names);
  }

  #watch(folder: string, names: ReadonlyMap<string, Meaning>): void {
    if (this.#watchers.length >= WATCHED_FOLDERS_MAX) {
      this.unwatched.push(folder);
      return;
    }
    try {
      const watcher = watch(folder, (_event, name) => {
        const meaning = name === null ? 'change' : (names.get(ANY_NAME) ?? names.get(name));
        if (meaning !== undefined) this.#schedule(meaning);
      });
      watcher.on('error', () => this.unwatched.push(folder));
      this.#watchers.push(watcher);
    } catch {
      this.unwatched.push(folder);
    }
  }

  #schedule(meaning: Meaning): void {
    this.#hasChanged ||= meaning === 'change';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), CHANGES_ARE_ONE_WITHIN_MS);
  }

  /** What appeared on the way to a path may have brought the path along, or is watched from now on. */
  #tell(): void {
    if (this.#hasChanged || this.#paths.some(file => existsSync(file) !== this.#there.has(file))) {
      this.#hasChanged = false;
      this.#changed();
      return;
    }
    this.close();
    this.#watchAll();
  }
}

/** What it means that a name comes or goes: a change of a watched path, or a step on the way to one that is not there. */
type Meaning = 'change' | 'way';

const ANY_NAME = '*';

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The existing folder a path's fate is seen in, and the name to look out for there. */
function nearestFolder(file: string): { folder: string; name: string } {
  let name = path.basename(file);
  let folder = path.dirname(file);
  while (!existsSync(folder) && folder !== path.dirname(folder)) {
    name = path.basename(folder);
    folder = path.dirname(folder);
  }
  return { folder, name };
}
