import { statSync } from 'node:fs';

/** What a file was when it was looked at: a change of any part makes what was read from it stale. */
function fingerprint(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? 'absent' : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

/** Files that answers were read from, and whether one of them has changed since. A file that was not there counts, too. */
export class WatchedFiles {
  readonly #seen = new Map<string, string>();

  /** Remembers a file as it is now; call before reading it, so that a change in between is seen. */
  note(file: string): void {
    if (!this.#seen.has(file)) this.#seen.set(file, fingerprint(file));
  }

  get files(): string[] {
    return [...this.#seen.keys()];
  }

  /** One stat(2) a file, some 3 µs each. */
  isStale(): boolean {
    for (const [file, seen] of this.#seen) if (fingerprint(file) !== seen) return true;
    return false;
  }
}
