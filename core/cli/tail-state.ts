import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../errors.ts';

/** How far a tail came: the last record that is where it should be, and how long its file was then. */
export interface TailState {
  readonly offset: number;
  readonly outputBytes?: number;
  /** Which ledger the offset is of (History.identity). */
  readonly ledger?: string;
}

/** Undefined when there is no such file yet. @throws {UsherdError} FILE_UNREADABLE */
export function readTailState(file: string): TailState | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
  const state = parseTailState(text);
  if (state !== undefined) return state;
  throw new UsherdError('FILE_UNREADABLE', `${file}: wanted what usher history tail writes, {"offset":N}`, { file });
}

/** Text → the state it has, or undefined when it is none. */
export function parseTailState(text: string): TailState | undefined {
  try {
    const { offset, outputBytes, ledger } = JSON.parse(text) as Record<string, unknown>;
    const isCount = (value: unknown): value is number =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    if (!isCount(offset)) return undefined;
    return {
      offset,
      ...(isCount(outputBytes) && { outputBytes }),
      ...(typeof ledger === 'string' && { ledger }),
    };
  } catch {
    return undefined;
  }
}

/** Written beside, synced, and renamed: after a power cut the file has the old state or the new one. @throws {UsherdError} FILE_UNWRITABLE */
export function writeTailState(file: string, state: TailState): void {
  try {
    const beside = `${file}.new`;
    const fd = openSync(beside, 'w', 0o640);
    writeSync(fd, `${JSON.stringify(state)}\n`);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(beside, file);
    const folder = openSync(path.dirname(path.resolve(file)), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    throw new UsherdError('FILE_UNWRITABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}
