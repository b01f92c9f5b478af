import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { fetcherUser, withoutPrivileges } from './confine.ts';
import { removeWorkFolders, sha256Of, workFolders } from './fetch-packages.ts';
import type { InstallHands } from './install-hands.ts';
import { runTool } from './run-tool.ts';
import type { StepAnswer, Transaction } from './transaction.ts';

/** Where usher puts a module that no package owns, below the root: depmod looks into updates/ first. */
export function catalogueFilePath(release: string, fileName: string): string {
  return path.join('lib/modules', release, 'updates/usherd', fileName);
}

/** Has this very program, as a user without privileges, fetch a file of a catalogue into a folder of its own. */
export async function fetchCatalogueFile(transaction: Transaction, { roots, self }: InstallHands): Promise<StepAnswer> {
  const { file } = transaction.candidate;
  const { work, fetched, checked } = workFolders(roots, transaction.id);
  const fetcher = fetcherUser();
  if (file === undefined) return { kind: 'failed', message: 'the journal names no file' };
  if (fetcher === undefined)
    return { kind: 'failed', message: 'there is no user _apt or nobody who could fetch without privileges' };
  removeWorkFolders(roots, transaction.id);
  for (const dir of [work, fetched, checked]) mkdirSync(dir, { recursive: true });
  chownSync(fetched, fetcher.uid, fetcher.gid);
  chmodSync(checked, 0o700);
  const target = path.join(fetched, file.fileName);
  const words = [
    ...self,
    'driver',
    'fetch',
    file.url,
    target,
    '--sha256',
    file.sha256,
    '--size',
    String(file.sizeBytes),
  ];
  const end = await runTool(withoutPrivileges(words, fetcher));
  if (end.status !== 0)
    return {
      kind: 'failed',
      message: `the file could not be fetched: ${end.stderr.slice(-2).join('; ')}`,
      advice: ['Nothing was changed. When the network is there again, do the same once more.'],
    };
  // That folder is another user's. What is used is a copy in root's own, and what it is, is asked there again.
  if (!lstatSync(target).isFile()) return { kind: 'failed', message: `${target} is no ordinary file` };
  const copy = path.join(checked, file.fileName);
  copyFileSync(target, copy);
  const hash = await sha256Of(copy);
  return hash === file.sha256
    ? { kind: 'done' }
    : { kind: 'failed', message: `${file.fileName} has the SHA-256 ${hash}, the catalogue says ${file.sha256}` };
}

/** Puts a fetched module file into the module tree: beside its place, synced, then moved there. */
export function placeCatalogueFile(transaction: Transaction, { roots }: InstallHands): StepAnswer {
  const { file } = transaction.candidate;
  if (file === undefined) return { kind: 'failed', message: 'the journal names no file' };
  const below = catalogueFilePath(transaction.release, file.fileName);
  const target = path.join(roots.root, below);
  const { checked } = workFolders(roots, transaction.id);
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(path.join(checked, file.fileName), `${target}.new`);
    chmodSync(`${target}.new`, 0o644);
    const fd = openSync(`${target}.new`, 'r');
    fsyncSync(fd);
    closeSync(fd);
    renameSync(`${target}.new`, target);
  } catch (error) {
    rmSync(`${target}.new`, { force: true });
    return { kind: 'failed', message: `${target}: it cannot be put in place: ${(error as Error).message}` };
  }
  return { kind: 'done' };
}

/** Takes away the files usher put in place. */
export function removeFiles({ files }: Transaction, { roots }: InstallHands): void {
  for (const { path: below } of files) rmSync(path.join(roots.root, below), { force: true });
}
