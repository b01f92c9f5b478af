import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { skip, type KmodAnswer, type KmodToolName } from './module-world.ts';

/** A module the made-up kernel has loaded. */
export interface FakeModule {
  readonly name: string;
  readonly sizeBytes?: number;
  readonly refcnt: number;
  readonly holders?: readonly string[];
  /** Missing: it has no initstate, as while it is being made. */
  readonly state?: 'live' | 'coming' | 'going' | 'absent';
}

/** Makes ROOT/proc/modules and ROOT/sys/module as a kernel with these modules shows them. */
export function makeFakeKernel(root: string, modules: readonly FakeModule[]): void {
  const lines = modules.map(({ name, sizeBytes = 16_384, refcnt, holders = [] }) => {
    const users = holders.length === 0 ? '-' : holders.map(holder => `${holder},`).join('');
    return `${name} ${sizeBytes} ${refcnt} ${users} Live 0x0000000000000000\n`;
  });
  put(path.join(root, 'proc/modules'), lines.join(''));
  put(path.join(root, 'proc/cmdline'), 'quiet\n');
  for (const { name, sizeBytes = 16_384, refcnt, holders = [], state = 'live' } of modules) {
    const folder = path.join(root, 'sys/module', name);
    mkdirSync(path.join(folder, 'holders'), { recursive: true });
    for (const holder of holders) mkdirSync(path.join(folder, 'holders', holder), { recursive: true });
    put(path.join(folder, 'refcnt'), `${refcnt}\n`);
    put(path.join(folder, 'coresize'), `${sizeBytes}\n`);
    if (state !== 'absent') put(path.join(folder, 'initstate'), `${state}\n`);
  }
}

function put(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Runs Debian's tool where ROOT/proc stands for /proc and ROOT/sys for /sys: in a mount namespace of its own. */
export function runKmodOn(root: string, tool: KmodToolName, words: readonly string[]): KmodAnswer {
  const script = `PATH=$PATH:/usr/sbin:/sbin; program=$(command -v ${tool})
    mount --bind "$0/sys" /sys && mount --bind "$0/proc" /proc && exec "$program" "$@"`;
  const { stdout, stderr, status } = spawnSync('unshare', ['-rm', 'sh', '-c', script, root, ...words], {
    encoding: 'latin1',
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
  });
  return { stdout, stderr, status };
}

/** Whether mount namespaces can be had; says aloud what is left out when they cannot. */
export function namespacesAreHere(t: ExecutionContext): boolean {
  const { status, stderr } = spawnSync('unshare', ['-rm', 'true'], { encoding: 'utf8' });
  if (status === 0) return true;
  skip(t, `unshare -rm fails, so that kmod cannot be shown a made-up kernel: ${stderr ?? 'no unshare'}`);
  return false;
}
