import { fstatSync, writeSync } from 'node:fs';
import { UsherdError } from '../errors.ts';
import type { Output } from '../pipeline/8-report/terminal.ts';

/** Pause before a full pipe is tried again, in milliseconds: a reader needs about that long to take some. */
const FULL_PIPE_PAUSE_MS = 2;
/** Major number of the memory devices, of which null, zero and full are. Source: Documentation/admin-guide/devices.txt. */
const MEMORY_MAJOR = 1;

/**
 * Writes all of it before it returns, and waits for a slow reader; one that has gone ends us quietly.
 * @throws {UsherdError} FILE_UNWRITABLE when standard output does not take it, as on a full disk
 */
export function writeAll(fd: 1 | 2, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      // Without a standard output there is nobody to write to; that standard error fails cannot be said to anybody.
      if (code === 'EBADF' || (code !== 'EAGAIN' && fd === 2)) return;
      if (code !== 'EAGAIN') throw new UsherdError('FILE_UNWRITABLE', `standard output: ${message}`, {}, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_PAUSE_MS);
    }
  }
}

/**
 * This process's standard output or error: all is out when `write` returns, as with Node's own stream of a file or pipe, which takes 2
 * to 6 ms to make. A terminal, which has a width, gets that.
 */
export function plainOutput(fd: 1 | 2): Output {
  if (mayBeTerminal(fd)) return fd === 1 ? process.stdout : process.stderr;
  return {
    write: (content, done) => {
      writeAll(fd, content);
      done?.();
      return true;
    },
  };
}

function mayBeTerminal(fd: number): boolean {
  const stats = fstatSync(fd);
  return stats.isCharacterDevice() && stats.rdev >> 8 !== MEMORY_MAJOR;
}
