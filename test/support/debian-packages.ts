import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How long one test file waits for another that is fetching: a slow mirror needs a few minutes for 100 MB. */
const WAIT_MS = 8 * 60_000;
const LOOK_EVERY_MS = 250;

/** Where fetched packages are kept between runs: never in the repository. */
export function cacheFolder(): string {
  const { USHERD_TEST_CACHE, XDG_CACHE_HOME } = process.env;
  return path.resolve(USHERD_TEST_CACHE ?? path.join(XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'usherd-test'));
}

/** What a test needs cannot be had here: it is skipped. Anything else that goes wrong is a failure. */
export class Unavailable extends Error {}

/**
 * The folder `name` of the cache. When it is not there, `make` fills one beside it, which is then moved into place, so that what is
 * there is whole. One process makes it, others wait.
 */
export async function cached(name: string, make: (dir: string) => void): Promise<string> {
  const dir = path.join(cacheFolder(), name);
  const lock = `${dir}.lock`;
  mkdirSync(cacheFolder(), { recursive: true });
  for (let waitedMs = 0; !existsSync(dir); waitedMs += LOOK_EVERY_MS) {
    if (tryLock(lock)) {
      const beside = `${dir}.${process.pid}`;
      try {
        if (existsSync(dir)) break;
        mkdirSync(beside);
        make(beside);
        renameSync(beside, dir);
        break;
      } finally {
        rmSync(beside, { recursive: true, force: true });
        rmSync(lock, { recursive: true, force: true });
      }
    }
    if (waitedMs > WAIT_MS) throw new Unavailable(`${lock} has been held for ${WAIT_MS / 1000} s; remove it`);
    await pause(LOOK_EVERY_MS);
  }
  return dir;
}

/**
 * Debian packages, fetched by apt as an ordinary user and not installed → unpacked over each other in one folder of the cache.
 * @throws {Unavailable} when apt cannot fetch one
 */
export function unpackedPackages(
  name: string,
  packages: () => readonly string[],
  prepare: (dir: string) => void = () => {},
): Promise<string> {
  return cached(name, dir => {
    for (const wanted of packages()) {
      const { stderr } = spawnSync('apt-get', ['download', wanted], { cwd: dir, encoding: 'utf8' });
      const deb = readdirSync(dir).find(file => file.endsWith('.deb'));
      if (deb === undefined) {
        throw new Unavailable(`apt-get download ${wanted}: ${stderr?.trim().split('\n').at(-1) ?? 'no apt-get'}`);
      }
      execFileSync('dpkg-deb', ['-x', path.join(dir, deb), dir]);
      rmSync(path.join(dir, deb));
    }
    prepare(dir);
  });
}

/** What a meta package stands for now: the first package it depends on whose name begins so. */
export function dependencyOf(metaPackage: string, prefix: string): string {
  const { stdout } = spawnSync('apt-cache', ['depends', metaPackage], { encoding: 'utf8' });
  const found = stdout.split('\n').map(line => /^\s*Depends: (\S+)/.exec(line)?.[1] ?? '');
  const name = found.find(candidate => candidate.startsWith(prefix));
  if (name === undefined) throw new Unavailable(`apt knows no ${metaPackage} that depends on ${prefix}*`);
  return name;
}

/** Making a folder is what only one can do. A lock older than the wait is one whose owner died. */
function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const stats = statSync(lock, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > WAIT_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}
