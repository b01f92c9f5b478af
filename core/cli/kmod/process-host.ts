import { constants, readFileSync, readlinkSync, writeSync } from 'node:fs';
import type { ToolHost } from './tool-host.ts';

/** Pause before a full pipe is tried again, in milliseconds: a reader needs about that long to take some. */
const FULL_PIPE_PAUSE_MS = 2;

/** The process we are. Writing is done at once and waits for a slow reader; one that has gone ends us quietly. */
export function processHost(): ToolHost {
  return {
    out: bytes => writeAll(1, bytes),
    err: text => writeAll(2, text),
    env: process.env,
    uid: process.getuid?.() ?? 0,
    isErrClosed,
  };
}

/**
 * Node opens a standard error that was closed again, as /dev/null for reading and writing. A shell's `2>/dev/null` opens it for writing
 * alone. Source: node::PlatformInit; proc(5), fdinfo.
 */
function isErrClosed(): boolean {
  try {
    if (readlinkSync('/proc/self/fd/2') !== '/dev/null') return false;
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync('/proc/self/fdinfo/2', 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & constants.O_RDWR) !== 0;
  } catch {
    // Without /proc nothing is known of it.
    return false;
  }
}

function writeAll(fd: number, content: string | Buffer): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      if (code === 'EBADF') return;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_PAUSE_MS);
    }
  }
}
