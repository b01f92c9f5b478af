import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { asUnreadable } from './database.ts';

/** As long as the hash it is for. */
const KEY_BYTES = 32;
const KEY_MODE = 0o600;

/** The key's file, for a ledger's: beside it. */
export function serialKeyFile(ledgerFile: string): string {
  return path.join(path.dirname(ledgerFile), 'serial.key');
}

/** The key that serial numbers are hashed with, or undefined when there is none. @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE */
export function readSerialKey(file: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw asUnreadable(error, file);
  }
  try {
    const { mode } = fstatSync(fd);
    if ((mode & 0o077) !== 0)
      throw unusable(
        file,
        `others than its owner may read or change it (mode ${(mode & 0o777).toString(8)}), wanted 600`,
      );
    const key = readFileSync(fd);
    if (key.length !== KEY_BYTES) throw unusable(file, `it has ${key.length} bytes, wanted ${KEY_BYTES}`);
    return key;
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads the key, or makes one: written beside, on disk, then linked into place, so that a crash leaves none or a whole one and of two
 * that make one at the same time both have the first. @throws {UsherdError} KEY_UNUSABLE, FILE_UNREADABLE
 */
export function obtainSerialKey(file: string): Buffer {
  const known = readSerialKey(file);
  if (known !== undefined) return known;
  const beside = `${file}.${process.pid}.new`;
  try {
    const fd = openSync(beside, 'wx', KEY_MODE);
    try {
      writeSync(fd, randomBytes(KEY_BYTES));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(beside, file);
    const folder = openSync(path.dirname(file), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw asUnreadable(error, file);
  } finally {
    rmSync(beside, { force: true });
  }
  const key = readSerialKey(file);
  if (key === undefined) throw unusable(file, 'it cannot be read');
  return key;
}

function unusable(file: string, found: string): UsherdError {
  return new UsherdError('KEY_UNUSABLE', `${file}: ${found}`, { file });
}
