import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DebianTree } from '../support/debian-tree.ts';
import { BARE_NODE, besideBareNode } from './bare-node.ts';
import type { Figure } from './figure.ts';
import { timeCommands } from './time-commands.ts';

const usher = path.resolve(import.meta.dirname, '../../dist/usher');
/** What a command may take beyond a bare Node, in ms. */
const BEYOND_MAX_MS = 8;
const MODALIAS = 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00';

/** One-shot commands beside a Node that does nothing, and the client of a resident daemon beside kmod's own tools. */
export async function benchCli(tree: DebianTree, isShort: boolean): Promise<readonly Figure[]> {
  return [...oneShot(tree, isShort), ...(await throughDaemon(tree, isShort))];
}

/** kmod's tools and ours through the daemon, in turn. */
async function throughDaemon({ root, release, dir }: DebianTree, isShort: boolean): Promise<readonly Figure[]> {
  const client = path.resolve(import.meta.dirname, '../../dist/usher-client');
  const stateDir = mkdtempSync(path.join(os.tmpdir(), 'usherd-bench-'));
  const words = ['daemon', '--observe', '--quiet', '--no-coldplug', '--source', 'kernel', '--state-dir', stateDir];
  const daemon = spawn(usher, words, { stdio: 'ignore' });
  try {
    while (!existsSync(path.join(stateDir, 'socket'))) await pause(5);
    const where = ['--state-dir', stateDir];
    const file = path.join(dir, 'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko');
    const pairs: Readonly<Record<string, readonly string[]>> = {
      lsmod: ['lsmod'],
      'modinfo e1000e': ['modinfo', file],
      'modprobe -R': ['modprobe', '-d', root, '-S', release, '-R', MODALIAS],
    };
    const commands = Object.values(pairs).flatMap(line => [[client, ...line, ...where], line]);
    const times = timeCommands(commands, isShort ? 101 : 401).map(({ ms }) => ms * 1000);
    return Object.keys(pairs).map((what, index) => {
      const [ours = Number.NaN, peer = Number.NaN] = times.slice(2 * index);
      const ratio = ours / peer;
      return {
        bench: 'cli',
        what: `${what}, by the client`,
        ours,
        peer,
        unit: 'µs',
        ratio,
        target: '<= 1.0',
        isMoreBetter: false,
      };
    });
  } finally {
    daemon.kill();
  }
}

function oneShot({ root, release, dir }: DebianTree, isShort: boolean): readonly Figure[] {
  const commands: Readonly<Record<string, readonly string[]>> = {
    lsmod: [usher, 'lsmod'],
    'modinfo e1000e': [usher, 'modinfo', path.join(dir, 'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko')],
    'modprobe -R': [usher, 'modprobe', '-d', root, '-S', release, '-R', MODALIAS],
    why: [usher, 'why', MODALIAS, '--modules-root', path.dirname(dir), '--kernel', release],
    status: [usher, 'status'],
  };
  const [floor, ...times] = timeCommands([BARE_NODE, ...Object.values(commands)], isShort ? 7 : 31);
  const floorMs = floor?.ms ?? Number.NaN;
  return Object.keys(commands).map((what, index) =>
    besideBareNode(
      'cli',
      `${what}, beyond node -e 0`,
      (times[index]?.ms ?? Number.NaN) - floorMs,
      floorMs,
      BEYOND_MAX_MS,
    ),
  );
}
