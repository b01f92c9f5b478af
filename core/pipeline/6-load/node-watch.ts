import { watch, type FSWatcher } from 'node:fs';
import path from 'node:path';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { writeAttribute } from './reprobe.ts';

/** A node is looked at again once nobody has written to it for so long, in ms: a partitioner writes in many pieces. */
const QUIET_MS = 500;
/** More nodes than have a file system on them; beyond it nothing more is watched. */
const WATCHED_MAX = 256;

/**
 * Notices that somebody wrote to a device's node (OPTIONS+="watch"), and then has the kernel send a `change` of it, so that its rules
 * are gone through again. udevd does so when a writer closes the node; here it is done when it has been left alone for a moment.
 */
export class NodeWatch {
  readonly #roots: Pick<SystemRoot, 'sys' | 'dev'>;
  readonly #watched = new Map<string, { readonly watcher: FSWatcher; timer?: NodeJS.Timeout }>();

  constructor(roots: Pick<SystemRoot, 'sys' | 'dev'>) {
    this.#roots = roots;
  }

  /** From now on, or no longer: what rules say of a device counts for each of its events. → why not, for a person. */
  set(devpath: string, node: string, isWanted: boolean): string | undefined {
    const before = this.#watched.get(devpath);
    if (!isWanted) {
      this.#forget(devpath);
      return undefined;
    }
    if (before !== undefined) return undefined;
    if (this.#watched.size >= WATCHED_MAX) return `${WATCHED_MAX} nodes are watched already`;
    try {
      const entry: { readonly watcher: FSWatcher; timer?: NodeJS.Timeout } = {
        watcher: watch(path.join(this.#roots.dev, node), () => {
          clearTimeout(entry.timer);
          entry.timer = setTimeout(() => this.#changed(devpath), QUIET_MS).unref();
        }),
      };
      entry.watcher.on('error', () => this.#forget(devpath));
      this.#watched.set(devpath, entry);
      return undefined;
    } catch (error) {
      return `${node} cannot be watched: ${(error as Error).message}`;
    }
  }

  close(): void {
    for (const devpath of this.#watched.keys()) this.#forget(devpath);
  }

  #forget(devpath: string): void {
    const entry = this.#watched.get(devpath);
    clearTimeout(entry?.timer);
    entry?.watcher.close();
    this.#watched.delete(devpath);
  }

  /** Permissions that rules set themselves are changes of the node, too; one `change` more does not come of its own `change`. */
  #changed(devpath: string): void {
    writeAttribute(`${this.#roots.sys}${devpath}/uevent`, 'change');
  }
}
