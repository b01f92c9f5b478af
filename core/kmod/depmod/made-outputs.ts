import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { DEPMOD_FILES, type DepmodOutput } from './depmod-outputs.ts';
import { stateOf } from './facts-cache.ts';

/** What a run of depmod made its files from beside modules, and how it left them. */
export interface MadeOutputs {
  /** All that has to be alike for the files to come out alike, as a text. */
  readonly world: string;
  readonly files: Readonly<Record<string, MadeFile>>;
}

interface MadeFile {
  readonly state: readonly number[];
  readonly checksum: number;
}

/** What was made before, with the files of a folder as they are once `written` went there and others of them were given another date. */
export function madeOutputs(
  before: MadeOutputs,
  dir: string,
  written: readonly DepmodOutput[],
  dated: readonly string[] = [],
): MadeOutputs {
  const files: Record<string, MadeFile> = { ...before.files };
  const keep = (name: string, checksum: number): void => {
    files[name] = { state: stateOf(path.join(dir, name)), checksum };
  };
  for (const name of dated) keep(name, before.files[name]?.checksum ?? 0);
  for (const { name, bytes } of written) keep(name, crc32(bytes));
  return { world: before.world, files };
}

/** What is kept of an earlier run, if its files are in the folder as it left them, and all of them would come out alike today. */
export function readMadeOutputs(kept: string, world: string, dir: string): MadeOutputs | undefined {
  if (kept === '') return undefined;
  const made = JSON.parse(kept) as MadeOutputs;
  const isLeft = (name: string): boolean => {
    try {
      const state = stateOf(path.join(dir, name));
      return made.files[name]?.state.every((number, i) => number === state[i]) ?? false;
    } catch {
      return false;
    }
  };
  return made.world === world && DEPMOD_FILES.every(isLeft) ? made : undefined;
}

/** A file as it was written; undefined when it cannot be read, or has other bytes than were written. */
export function readMadeFile({ files }: MadeOutputs, dir: string, name: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path.join(dir, name));
    return crc32(bytes) === files[name]?.checksum ? bytes : undefined;
  } catch {
    return undefined;
  }
}
