import path from 'node:path';
import { monotonicMs } from '../vocabulary/monotonic-clock.ts';

/** SQLite writes its log first, which inotify tells, and shows the rows to readers later, which nobody tells: when the disk has them. */
const SHOWN_WITHIN_MS = 5000;
const LOOK_AGAIN_MS = 20;

/**
 * Waits until the ledger has something new for `isNews`, by inotify; false when the caller has had enough. It is asked for a
 * while after each write, and from when the watch stands, since a write may have begun before.
 */
export async function grown(file: string, signal: AbortSignal, isNews: () => boolean): Promise<boolean> {
  const { watch } = await import('node:fs');
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let lookUntilMs = monotonicMs() + SHOWN_WITHIN_MS;
    const watcher = watch(path.dirname(file), (_event, name) => {
      if (name?.startsWith(path.basename(file)) !== true) return;
      lookUntilMs = monotonicMs() + SHOWN_WITHIN_MS;
      look();
    });
    const stop = (): void => end(false);
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      watcher.close();
      signal.removeEventListener('abort', stop);
      resolve(answer);
    };
    const look = (): void => {
      clearTimeout(timer);
      try {
        if (isNews()) end(true);
        else if (monotonicMs() < lookUntilMs) timer = setTimeout(look, LOOK_AGAIN_MS);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        end(false);
      }
    };
    if (signal.aborted) end(false);
    else {
      signal.addEventListener('abort', stop, { once: true });
      look();
    }
  });
}
