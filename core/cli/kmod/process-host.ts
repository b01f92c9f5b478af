import { constants, readFileSync, readlinkSync } from 'node:fs';
import { writeAll } from '../plain-output.ts';
import type { ToolHost } from './tool-host.ts';

/** The process we are. */
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
