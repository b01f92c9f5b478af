import { spawnSync } from 'node:child_process';
import os from 'node:os';

/** Node's names of processors → those of systemd.unit(5), ConditionArchitecture. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'x86-64',
  ia32: 'x86',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64-le',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loongarch64',
};

/** Longest systemd-detect-virt may take; it reads a few files. */
const DETECT_MAX_MS = 2000;

/** CONST{arch} or CONST{virt}, or undefined. What kind of virtual machine this is, systemd-detect-virt says. */
export function readConstant(name: string): string | undefined {
  if (name === 'arch') return ARCHITECTURES[os.arch()] ?? os.arch();
  if (name !== 'virt') return undefined;
  const { stdout } = spawnSync('systemd-detect-virt', [], { encoding: 'utf8', timeout: DETECT_MAX_MS });
  return typeof stdout === 'string' && stdout.trim() !== '' ? stdout.trim() : undefined;
}
