import { fdatasync, fdatasyncSync, fsyncSync, openSync, closeSync } from 'node:fs';
import path from 'node:path';
import { LentFd } from './lent-fd.ts';

/** Puts a file on disk, as fdatasync(2) does. */
export type PutOnDisk = (fd: number, done: (error: NodeJS.ErrnoException | null) => void) => void;

/**
 * Has what was written to a file put on disk by a thread, while events go on: SQLite's write-ahead log, and the file of kept rows. Under
 * `synchronous = NORMAL` SQLite leaves its log to the next checkpoint; once `sync` has ended, a commit from before it is as durable as
 * under FULL. Source: sqlite.org, pragma synchronous; the log's own descriptor may be closed freely, since SQLite's locks are on other files.
 */
export class LogSync {
  readonly #file: string;
  readonly #putOnDisk: PutOnDisk;
  #fd: LentFd | undefined;
  #running: Promise<NodeJS.ErrnoException | undefined> | undefined;
  #next: Promise<NodeJS.ErrnoException | undefined> | undefined;
  #ended: { readonly error: NodeJS.ErrnoException | undefined } | undefined;

  /** `fd` is the file's where it is open already, and belongs to this from now on. */
  constructor(file: string, putOnDisk: PutOnDisk = fdatasync, fd?: LentFd) {
    this.#file = file;
    this.#putOnDisk = putOnDisk;
    this.#fd = fd;
  }

  /**
   * Ends when all that was written before the call is on disk, or with what went wrong. One runs at a time: it may have begun before
   * something was written, so whoever comes meanwhile shares the next.
   */
  sync(): Promise<NodeJS.ErrnoException | undefined> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  /** Waits for the disk here and now; answers with what went wrong. */
  syncNow(): NodeJS.ErrnoException | undefined {
    try {
      fdatasyncSync(this.#open().fd);
      return undefined;
    } catch (error) {
      return error as NodeJS.ErrnoException;
    }
  }

  /** Its descriptor, for who has it put on disk by a thread of his own, until that is called which comes with it. @throws ErrnoException */
  lend(): { readonly fd: number; readonly giveBack: () => void } {
    const open = this.#open();
    return { fd: open.fd, giveBack: open.lend() };
  }

  /** Puts all on disk and gives the file back; answers with what went wrong. Who still waits is told the same. */
  close(): NodeJS.ErrnoException | undefined {
    const fd = this.#fd;
    this.#ended = { error: fd === undefined ? undefined : this.syncNow() };
    this.#fd = undefined;
    fd?.close();
    return this.#ended.error;
  }

  #start(): Promise<NodeJS.ErrnoException | undefined> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended.error);
    const put = new Promise<NodeJS.ErrnoException | undefined>(resolve => {
      try {
        const { fd, giveBack } = this.lend();
        this.#putOnDisk(fd, error => {
          giveBack();
          resolve(error ?? undefined);
        });
      } catch (error) {
        resolve(error as NodeJS.ErrnoException);
      }
    });
    this.#running = put.finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The log, and that it is in its folder: it may have just been made. */
  #open(): LentFd {
    if (this.#fd !== undefined) return this.#fd;
    syncFolder(this.#file);
    this.#fd = new LentFd(openSync(this.#file, 'r'));
    return this.#fd;
  }
}

/** Puts on disk that a file is in its folder. @throws ErrnoException */
export function syncFolder(file: string): void {
  const folder = openSync(path.dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
