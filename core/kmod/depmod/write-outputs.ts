import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import type { DepmodOutput } from './depmod-outputs.ts';

/**
 * Writes depmod's files into a folder, made if it is missing: each beside its place, synced, then moved there, so that a reader never
 * sees half of one. All are written before the first is moved; the mode is 0644.
 * @throws {UsherdError} FILE_UNWRITABLE; what was written beside is gone then, and files already moved stay
 */
export function writeDepmodOutputs(dir: string, outputs: readonly DepmodOutput[]): void {
  const beside = outputs.map(({ name }) => path.join(dir, `${name}.${process.pid}.tmp`));
  try {
    mkdirSync(dir, { recursive: true });
    for (const [i, { bytes }] of outputs.entries()) writeBeside(beside[i] ?? '', bytes);
    for (const [i, { name }] of outputs.entries()) renameSync(beside[i] ?? '', path.join(dir, name));
    syncFolder(dir);
  } catch (error) {
    for (const file of beside) removeQuietly(file);
    throw new UsherdError(
      'FILE_UNWRITABLE',
      `${dir}: its index files cannot be written: ${(error as Error).message}`,
      { dir },
      error,
    );
  }
}

function writeBeside(file: string, bytes: Buffer): void {
  const fd = openSync(file, 'wx', 0o644);
  try {
    // The umask took from the mode above, and everybody has to read these.
    fchmodSync(fd, 0o644);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFolder(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It was moved already, or never made.
  }
}
