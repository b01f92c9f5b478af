import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  createReadStream,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { aptComplaint, runAptGet, statusText, type AptPlace } from './apt-get.ts';
import { fetcherUser, withoutPrivileges } from './confine.ts';
import type { InstallHands } from './install-hands.ts';
import type { PackageChange, StepAnswer, Transaction } from './transaction.ts';

/** Most bytes all packages of one driver may have: a graphics driver with all its parts has some 500 MB. */
export const FETCH_MAX_BYTES = 4 * 1024 * 1024 * 1024;

/** Folders of a transaction: what the unprivileged user fetches into, and what root has checked. Not below the state folder, into which others cannot look. */
export function workFolders(
  { root }: { readonly root: string },
  id: string,
): { work: string; fetched: string; checked: string } {
  const work = path.join(root, 'var/cache/usherd', id);
  return { work, fetched: path.join(work, 'fetched'), checked: path.join(work, 'checked') };
}

export function removeWorkFolders(roots: { readonly root: string }, id: string): void {
  rmSync(workFolders(roots, id).work, { recursive: true, force: true });
}

/**
 * Fetches the packages: apt, as a user without privileges, into a folder of its own, then each file is copied to one of root's, where
 * its size and SHA-256 are compared with those of the signed index. Nothing is installed.
 */
export async function fetchPackages(transaction: Transaction, { roots, tell }: InstallHands): Promise<StepAnswer> {
  const { work, fetched, checked } = workFolders(roots, transaction.id);
  const total = transaction.packages.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  if (total > FETCH_MAX_BYTES)
    return { kind: 'failed', message: `its packages have ${total} bytes, at most ${FETCH_MAX_BYTES} are fetched` };
  const fetcher = fetcherUser();
  if (fetcher === undefined)
    return { kind: 'failed', message: 'there is no user _apt or nobody who could fetch without privileges' };
  rmSync(work, { recursive: true, force: true });
  for (const dir of [work, fetched, path.join(fetched, 'partial'), checked]) mkdirSync(dir, { recursive: true });
  for (const dir of [fetched, path.join(fetched, 'partial')]) chownSync(dir, fetcher.uid, fetcher.gid);
  chmodSync(checked, 0o700);
  const place: AptPlace = { root: roots.root, workDir: work };
  const options = [
    'APT::Status-Fd=3',
    `Dir::Cache::archives=${fetched}`,
    // It may write nowhere else, so it needs neither a lock nor a cache, and is the sandbox itself.
    'Debug::NoLocking=true',
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    'APT::Sandbox::User=',
  ].flatMap(option => ['-o', option]);
  const end = await runAptGet(['install', '--download-only', ...options, ...wanted(transaction)], place, {
    confine: words => withoutPrivileges(words, fetcher),
    onStatus: line => {
      const text = statusText(line);
      if (text !== undefined) tell(text);
    },
  });
  if (end.status !== 0)
    return {
      kind: 'failed',
      message: `the packages could not be fetched: ${aptComplaint(end)}`,
      advice: ['Nothing was changed. When the network is there again, do the same once more.'],
    };
  return checkFetched(transaction, fetched, checked);
}

/** NAME:ARCHITECTURE=VERSION of each package: exactly what was planned, nothing newer and nothing else. */
export function wanted({ packages }: Transaction): readonly string[] {
  return packages.map(each => `${qualifiedName(each)}=${each.version}`);
}

/** As apt names a package of one architecture among several. */
export function qualifiedName({ name, architecture }: Pick<PackageChange, 'name' | 'architecture'>): string {
  return architecture === 'all' || architecture === '' ? name : `${name}:${architecture}`;
}

async function checkFetched({ packages }: Transaction, fetched: string, checked: string): Promise<StepAnswer> {
  const names = readdirSync(fetched, { withFileTypes: true })
    // The folder is another user's: a link or pipe in it is none of apt's files.
    .flatMap(entry => (entry.isFile() && entry.name.endsWith('.deb') ? [entry.name] : []));
  for (const { name, version, architecture, sha256, sizeBytes, localFile } of packages) {
    // apt writes the colon of an epoch as %3a. Source: apt, QuoteString in pkgAcqArchive.
    const file = `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
    const target = path.join(checked, file);
    const from = names.includes(file) ? path.join(fetched, file) : localFile;
    if (from === undefined) return { kind: 'failed', message: `apt has not fetched ${file}` };
    copyFileSync(from, target);
    const size = statSync(target).size;
    if (sizeBytes !== undefined && size !== sizeBytes)
      return { kind: 'failed', message: `${file} has ${size} bytes, its index says ${sizeBytes}` };
    const hash = await sha256Of(target);
    if (sha256 !== undefined && hash !== sha256)
      return { kind: 'failed', message: `${file} has the SHA-256 ${hash}, its index says ${sha256}` };
  }
  return { kind: 'done' };
}

/** A file → its SHA-256 in hexadecimal. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
