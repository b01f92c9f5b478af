import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { UsherdError } from '../errors.ts';
import { errnoName } from '../vocabulary/errno.ts';
import { native } from './native.ts';

/**
 * A file's bytes in place: they belong to the page cache and are no memory of ours. The caller sees to it that the file is only ever
 * replaced by another, never made shorter: reading past its end would be a SIGBUS.
 * @throws {UsherdError} FILE_UNREADABLE
 */
export function mapFile(fd: number, sizeBytes: number): Buffer {
  if (sizeBytes === 0) return Buffer.alloc(0);
  const mapped = native().mapFile(fd, sizeBytes);
  if (typeof mapped !== 'number') return Buffer.from(mapped);
  throw new UsherdError('FILE_UNREADABLE', `a file of ${sizeBytes} bytes cannot be mapped: ${errnoName(-mapped)}`);
}

/**
 * Gives back to the system what is not in use: dead objects and the code V8 can make again, memory the C library keeps for later, and
 * Node's own code, of which few pages are needed while nothing happens; those come back from the page cache as they are used. Takes
 * some 30 ms, so it is for quiet times.
 */
export function releaseMemory(): void {
  collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  native().releaseMemory();
}

/** How much garbage V8 may leave lying beside what lives, in percent of that. */
const GARBAGE_MAX_PERCENT = 40;

/**
 * Has V8 collect sooner than it does by itself, which lets four times what lives pile up in a storm: 25 MB less for time that cannot be measured.
 * And not some seconds after that once more by itself, to reduce memory: whoever calls this does that when it is worth while.
 * V8's code kept for other flags is not taken from here on, so load what is to be loaded first.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GARBAGE_MAX_PERCENT}`);
  setFlagsFromString('--no-memory-reducer');
}

/** V8's own collector, which a new context has when the flag is set as it is made; Node offers no other way to it after its start. */
function collector(): NonNullable<typeof globalThis.gc> {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return gc as NonNullable<typeof globalThis.gc>;
}
