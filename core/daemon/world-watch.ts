import { existsSync, statSync, watch, type FSWatcher } from 'node:fs';
import path from 'node:path';

/** A package writes dozens of files in one go: changes this close together are one change. */
const CHANGES_ARE_ONE_WITHIN_MS = 200;

/** More folders than any configuration has; beyond it nothing more is watched, and `unwatched` says so. */
const WATCHED_FOLDERS_MAX = 64;

/**
 * Tells once when any of the files or folders changes, appears or goes, by inotify: nothing ticks while nothing happens. A path that
 * does not exist is waited for in the nearest folder above it that does.
 */
export class WorldWatch {
  readonly #watchers: FSWatcher[] = [];
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** Paths beyond the bound, or that inotify refused. */
  readonly unwatched: string[] = [];

  constructor(paths: readonly string[], changed: () => void) {
    this.#changed = changed;
    const folders = new Map<string, Set<string>>();
    for (const file of paths) {
      const { folder, name } = nearestFolder(file);
      const names = folders.get(folder) ?? new Set();
      folders.set(folder, names.add(name));
      // A file's fate is seen in its folder; a folder is watched itself, for whatever comes and goes in it.
      if (isFolder(file)) folders.set(file, (folders.get(file) ?? new Set()).add(ANY_NAME));
    }
    for (const [folder, names] of folders) this.#watch(folder, names);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string, names: ReadonlySet<string>): void {
    if (this.#watchers.length >= WATCHED_FOLDERS_MAX) {
      this.unwatched.push(folder);
      return;
    }
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || names.has(ANY_NAME) || names.has(name)) this.#schedule();
      });
      watcher.on('error', () => this.unwatched.push(folder));
      this.#watchers.push(watcher);
    } catch {
      this.unwatched.push(folder);
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#changed, CHANGES_ARE_ONE_WITHIN_MS);
  }
}

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
