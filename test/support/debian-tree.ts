import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { skip } from './module-world.ts';

/** The kernel package that is fetched: what Debian's `linux-image-amd64` depends on now. */
const META_PACKAGE = 'linux-image-amd64';
/** How long one test file waits for another that is fetching: a slow mirror needs a few minutes for 70 MB. */
const WAIT_MS = 4 * 60_000;
const POLL_MS = 250;

/** A whole Debian kernel's modules, with the files Debian's own depmod made. Nobody may change it. */
export interface DebianTree {
  readonly root: string;
  readonly release: string;
  /** `ROOT/lib/modules/RELEASE`. */
  readonly dir: string;
}

/**
 * The tree, fetched with apt when it is not in the cache folder yet: $USHERD_TEST_CACHE, else $XDG_CACHE_HOME/usherd-test, else
 * ~/.cache/usherd-test. Undefined, said aloud, where it cannot be had.
 */
export async function debianTree(t: ExecutionContext): Promise<DebianTree | undefined> {
  t.timeout(WAIT_MS + 60_000);
  const tree = await obtainDebianTree();
  if (typeof tree !== 'string') return tree;
  skip(t, tree);
  return undefined;
}

/** The same without a test: the tree, or why it cannot be had. */
export async function obtainDebianTree(): Promise<DebianTree | string> {
  const cache = cacheFolder();
  const root = path.join(cache, 'debian-kernel');
  const lock = path.join(cache, 'debian-kernel.lock');
  mkdirSync(cache, { recursive: true });
  for (let waitedMs = 0; !existsSync(root); waitedMs += POLL_MS) {
    if (tryLock(lock)) {
      try {
        const why = existsSync(root) ? undefined : fetchTree(cache, root);
        if (why !== undefined) return why;
      } finally {
        rmSync(lock, { recursive: true, force: true });
      }
    }
    if (waitedMs > WAIT_MS) {
      return `${lock} is held for more than ${WAIT_MS / 1000} s; remove it if nobody is fetching`;
    }
    if (!existsSync(root)) await delay(POLL_MS);
  }
  const release = readdirSync(path.join(root, 'lib/modules'))[0];
  if (release === undefined) throw new Error(`${root}: has no release below lib/modules; remove it to fetch it again`);
  return { root, release, dir: path.join(root, 'lib/modules', release) };
}

function cacheFolder(): string {
  return path.resolve(
    process.env['USHERD_TEST_CACHE'] ??
      path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'usherd-test'),
  );
}

/** Making a folder is what only one can do. A lock older than the wait is one whose owner died. */
function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const stats = statSync(lock, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > WAIT_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

/** Fetches, unpacks and indexes beside, then moves it into place → why it could not be done. */
function fetchTree(cache: string, root: string): string | undefined {
  const beside = path.join(cache, `debian-kernel.${process.pid}`);
  mkdirSync(beside, { recursive: true });
  try {
    const depends = spawnSync('apt-cache', ['depends', META_PACKAGE], { encoding: 'utf8' });
    const name = /Depends: (linux-image-\S+)/.exec(depends.stdout)?.[1];
    if (name === undefined) return `apt knows no ${META_PACKAGE} to take a module tree from`;
    const download = spawnSync('apt-get', ['download', name], { cwd: beside, encoding: 'utf8' });
    const deb = readdirSync(beside).find(file => file.endsWith('.deb'));
    if (deb === undefined) return `apt-get download ${name} failed: ${download.stderr.trim().split('\n').at(-1)}`;
    execFileSync('dpkg-deb', ['-x', path.join(beside, deb), path.join(beside, 'root')]);
    const unpacked = path.join(beside, 'root');
    if (!existsSync(path.join(unpacked, 'lib'))) symlinkSync('usr/lib', path.join(unpacked, 'lib'));
    const release = readdirSync(path.join(unpacked, 'lib/modules'))[0] ?? '';
    execFileSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin; exec depmod -b "$1" "$2"', 'sh', unpacked, release]);
    renameSync(unpacked, root);
    return undefined;
  } catch (error) {
    return `the module tree could not be made: ${(error as Error).message}`;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}
