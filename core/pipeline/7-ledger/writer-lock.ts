import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { isLocked, lockFile } from '../../kernel/file-lock.ts';
import { asUnreadable } from './database.ts';

/** The right to write one ledger, held until `release` or until the process ends. */
export interface WriterLock {
  release(): void;
}

/** The group may look who writes. */
const LOCK_MODE = 0o640;

/**
 * Takes the right to write the ledger at `file`: a lock on FILE.lock, which the kernel takes back with the process however it ends. The
 * file has the holder's pid, for people.
 * @throws {UsherdError} LEDGER_BUSY, FILE_UNREADABLE
 */
export function takeWriterLock(file: string): WriterLock {
  const place = lockPlace(file);
  let fd: number | undefined;
  try {
    fd = openSync(place, constants.O_RDWR | constants.O_CREAT, LOCK_MODE);
    if (!lockFile(fd)) throw busy(file, readHolder(place));
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`, 0);
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw asUnreadable(error, place);
  }
  const held = fd;
  return { release: () => closeSync(held) };
}

/** Pid of the process that writes the ledger at `file` now, or undefined when nobody does. */
export function findWriter(file: string): number | undefined {
  const place = lockPlace(file);
  try {
    const fd = openSync(place, 'r');
    try {
      return isLocked(fd) ? readHolder(place) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function lockPlace(file: string): string {
  return `${file}.lock`;
}

function busy(file: string, pid: number | undefined): UsherdError {
  const by = pid === undefined ? 'another process' : `process ${pid}`;
  return new UsherdError('LEDGER_BUSY', `${file}: ${by} writes this ledger`, { file, pid });
}

function readHolder(place: string): number | undefined {
  const text = readFileSync(place, 'latin1').trim();
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}
