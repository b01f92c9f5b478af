import { closeSync, fdatasync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import path from 'node:path';

/** Puts a file on disk, as fdatasync(2) does. */
export type PutOnDisk = (fd: number, done: (error: NodeJS.ErrnoException | null) => void) => void;

/**
 * Has what SQLite wrote to a write-ahead log put on disk by a thread of Node's, while events go on. Under `synchronous = NORMAL` SQLite
 * leaves that to the next checkpoint; once `sync` has ended, a commit from before it is as durable as under FULL.
 * Source: sqlite.org, pragma synchronous; the log's own descriptor may be closed freely, since SQLite's locks are on other files.
 */
export class LogSync {
  readonly #file: string;
  readonly #putOnDisk: PutOnDisk;
  #fd: number | undefined;
  #running: Promise<NodeJS.ErrnoException | undefined> | undefined;
  #next: Promise<NodeJS.ErrnoException | undefined> | undefined;
  #ended: { readonly error: NodeJS.ErrnoException | undefined } | undefined;

  constructor(file: string, putOnDisk: PutOnDisk = fdatasync) {
    this.#file = file;
    this.#putOnDisk = putOnDisk;
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

  /** Puts all on disk and gives the file back; answers with what went wrong. Who still waits is told the same. */
  close(): NodeJS.ErrnoException | undefined {
    const fd = this.#fd;
    this.#ended = { error: fd === undefined ? undefined : syncNow(fd) };
    if (fd === undefined) return undefined;
    this.#fd = undefined;
    if (this.#running === undefined) closeSync(fd);
    else void this.#running.then(() => closeSync(fd));
    return this.#ended.error;
  }

  #start(): Promise<NodeJS.ErrnoException | undefined> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended.error);
    const put = new Promise<NodeJS.ErrnoException | undefined>(resolve => {
      try {
        this.#putOnDisk(this.#open(), error => resolve(error ?? undefined));
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
  #open(): number {
    if (this.#fd !== undefined) return this.#fd;
    const folder = openSync(path.dirname(this.#file), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
    this.#fd = openSync(this.#file, 'r');
    return this.#fd;
  }
}

function syncNow(fd: number): NodeJS.ErrnoException | undefined {
  try {
    fdatasyncSync(fd);
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
