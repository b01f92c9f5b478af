import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Where an ELF header tells the machine it is for, and the number of AArch64. Source: elf(5). */
const ELF_MACHINE_AT = 18;
const AARCH64 = 183;

/** Cuts a module's file off in the middle. The file is replaced, as it may be a link to one that others use. */
export function cutFile(file: string): void {
  const bytes = readFileSync(file);
  replace(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
}

/** Makes a module one for another machine. */
export function foreignFile(file: string): void {
  const bytes = readFileSync(file);
  bytes.writeUInt16LE(AARCH64, ELF_MACHINE_AT);
  replace(file, bytes);
}

/** Packs a module as Debian packs its own, under the name it had. */
export function packFile(file: string): void {
  replace(file, execFileSync('xz', ['-c', '--check=crc32', '--lzma2=dict=1MiB'], { input: readFileSync(file) }));
}

function replace(file: string, bytes: Uint8Array): void {
  rmSync(file);
  writeFileSync(file, bytes);
}
