import path from 'node:path';

/**
 * Waits until the ledger was written to, by inotify; false when the caller has had enough. `isNews` is asked once the watch stands, since
 * what was written between the caller's last look and that moment tells nobody.
 */
export async function grown(file: string, signal: AbortSignal, isNews: () => boolean): Promise<boolean> {
  const { watch } = await import('node:fs');
  return new Promise(resolve => {
    const watcher = watch(path.dirname(file), (_event, name) => {
      if (name?.startsWith(path.basename(file)) === true) end(true);
    });
    const stop = (): void => end(false);
    const end = (answer: boolean): void => {
      watcher.close();
      signal.removeEventListener('abort', stop);
      resolve(answer);
    };
    if (signal.aborted) end(false);
    else if (isNews()) end(true);
    else signal.addEventListener('abort', stop, { once: true });
  });
}
