import { fdatasync } from 'node:fs';

/** Where what an act rests on was written. Whoever acts has that put on disk first. Source: fdatasync(2). */
export interface RestsOn {
  /** What is to be put on disk; undefined when there is nothing to wait for: all is there, or the disk takes nothing, which was told. */
  readonly fd: number | undefined;
  /** What came of putting it there: 0 or a negative error number. The act goes on in every case. */
  wasPut(status: number): void;
}

/** For an act that does it by no thread of its own: ends when all it rests on is on disk, or could not be put there. */
export function putOnDisk(restsOn: RestsOn): Promise<void> {
  const { fd } = restsOn;
  if (fd === undefined) return Promise.resolve();
  return new Promise(resolve => {
    fdatasync(fd, error => {
      restsOn.wasPut(error?.errno ?? 0);
      resolve();
    });
  });
}
