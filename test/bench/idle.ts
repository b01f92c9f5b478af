import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DebianTree } from '../support/debian-tree.ts';
import { bareNodeMs, besideBareNode } from './bare-node.ts';
import type { Figure } from './figure.ts';
import { readSmaps } from './process-tree.ts';

/** Coldplug, its commit, the checkpoint when it is quiet, the cleaning up, and V8's own which follows some seconds later. */
const SETTLES_MS = 15_000;

/** How long the daemon is watched doing nothing. */
const WATCHED_MS = 5000;

/** What a start may take until it listens, in ms. */
const READY_MAX_MS = 80;

/** A daemon at rest after coldplug: memory, wake-ups, and how long it took to listen. The second start is measured: caches are warm. */
export async function benchIdle(tree: DebianTree): Promise<readonly Figure[]> {
  const stateDir = mkdtempSync(path.join(os.tmpdir(), 'usherd-idle-'));
  await watch(tree, stateDir);
  const { rssKb, privateKb, wakeUpsPerS, readyMs } = await watch(tree, stateDir);
  return [
    { bench: 'idle', what: 'resident', ours: rssKb / 1024, unit: 'MB', target: '<= 60', isMoreBetter: false },
    { bench: 'idle', what: 'private', ours: privateKb / 1024, unit: 'MB', target: '<= 20', isMoreBetter: false },
    { bench: 'idle', what: 'wake-ups', ours: wakeUpsPerS, unit: '/s', target: '0', isMoreBetter: false },
    besideBareNode('idle', 'ready', readyMs, bareNodeMs(5), READY_MAX_MS),
  ];
}

async function watch(
  tree: DebianTree,
  stateDir: string,
): Promise<{ rssKb: number; privateKb: number; wakeUpsPerS: number; readyMs: number }> {
  const usher = path.resolve(import.meta.dirname, '../../dist/usher');
  const words = [
    'daemon',
    '--source',
    'kernel',
    '--observe',
    '--quiet',
    '--state-dir',
    stateDir,
    '--modules-root',
    path.dirname(tree.dir),
    '--kernel',
    tree.release,
  ];
  const startedAt = performance.now();
  const daemon = spawn(usher, words, { stdio: 'ignore' });
  const pid = daemon.pid ?? 0;
  while (!existsSync(path.join(stateDir, 'socket'))) await pause(1);
  const readyMs = performance.now() - startedAt;
  await pause(SETTLES_MS);
  const before = switches(pid);
  await pause(WATCHED_MS);
  const wakeUpsPerS = (switches(pid) - before) / (WATCHED_MS / 1000);
  const [rssKb, privateKb] = [readSmaps(pid, 'Rss'), readSmaps(pid, 'Private_Dirty')];
  daemon.kill('SIGTERM');
  await new Promise(resolve => daemon.on('close', resolve));
  return { rssKb, privateKb, wakeUpsPerS, readyMs };
}

/** Times the main thread gave the processor up of itself: each is a wake-up. */
function switches(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}
