import path from 'node:path';
import { AptArchive, type ArchivedPackage } from '../apt/apt-archive.ts';
import type { DriverSearch } from '../search.ts';
import type { RankedCandidate } from '../rank.ts';
import { aptComplaint, parseSimulation, runAptGet } from './apt-get.ts';
import { removeWorkFolders, workFolders } from './fetch-packages.ts';
import { catalogueFilePath } from './install-file.ts';
import type { InstallHands } from './install-hands.ts';
import type { Consent, PackageChange, Transaction } from './transaction.ts';

/** What would be done, or why it cannot be. */
export type InstallPlan =
  | { readonly kind: 'planned'; readonly candidate: RankedCandidate; readonly packages: readonly PackageChange[] }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * A candidate → the packages apt would put in place for it, each with its origin and its hash of the signed index. Refused: what
 * has an obstacle, what would take other packages away, and what pulls in a package from an origin nothing is taken from. Changes nothing.
 */
export async function planInstall(candidate: RankedCandidate, id: string, hands: InstallHands): Promise<InstallPlan> {
  const { obstacles } = candidate;
  const { source } = candidate.candidate;
  if (obstacles.length > 0) return { kind: 'refused', reason: obstacles.join('; ') };
  if (source.kind === 'module')
    return { kind: 'refused', reason: `${source.module} is in the module tree already: nothing is to be installed` };
  if (source.kind === 'file') return { kind: 'planned', candidate, packages: [] };
  const { work } = workFolders(hands.roots, id);
  const end = await runAptGet(['-s', 'install', `${source.name}=${source.version}`], {
    root: hands.roots.root,
    workDir: work,
  });
  removeWorkFolders(hands.roots, id);
  if (end.status !== 0)
    return { kind: 'refused', reason: `the package manager cannot install it: ${aptComplaint(end)}` };
  const { installed, removed } = parseSimulation(end.stdout);
  if (removed.length > 0)
    return { kind: 'refused', reason: `it would take other packages away: ${removed.join(', ')}` };
  const archived = await versionsOf(installed, hands);
  const packages: PackageChange[] = [];
  for (const change of installed) {
    const found = archived.get(keyOf(change));
    const distrust = found === undefined ? 'no list of apt has it' : distrustOf(found, hands);
    if (found === undefined || distrust !== undefined)
      return {
        kind: 'refused',
        reason: `it needs ${change.name} ${change.version}, and nothing is taken from there: ${distrust}`,
      };
    const { sha256, sizeBytes } = found.source;
    const localFile = localFileOf(found);
    if (sha256 === undefined)
      return { kind: 'refused', reason: `the index has no SHA-256 of ${change.name} ${change.version}` };
    packages.push({
      ...change,
      origin: found.origin.name,
      sha256,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(localFile === undefined ? {} : { localFile }),
    });
  }
  return { kind: 'planned', candidate, packages };
}

/** Those versions in apt's lists, from an origin that is trusted where there are several. */
async function versionsOf(
  changes: readonly Pick<PackageChange, 'name' | 'version' | 'architecture'>[],
  { roots }: InstallHands,
): Promise<ReadonlyMap<string, ArchivedPackage>> {
  const wanted = new Set(changes.map(keyOf));
  const found = new Map<string, ArchivedPackage>();
  const needles = changes.map(({ name }) => `Package: ${name}\n`);
  for await (const each of new AptArchive(roots.root).packagesWith(needles, () => {})) {
    const key = keyOf(each.source);
    const before = found.get(key);
    if (wanted.has(key) && (before === undefined || before.origin.distrust !== undefined)) found.set(key, each);
  }
  return found;
}

/** Where a package of a `file:` repository is; a name that would lead out of it is none. */
function localFileOf({ origin: { uri }, source }: ArchivedPackage): string | undefined {
  if (uri?.startsWith('file:') !== true || source.path === undefined) return undefined;
  const base = path.resolve('/', uri.replace(/^file:(?:\/\/)?/, ''));
  const file = path.resolve(base, source.path);
  return file.startsWith(`${base}/`) ? file : undefined;
}

function keyOf({ name, version, architecture }: Pick<PackageChange, 'name' | 'version' | 'architecture'>): string {
  return `${name}:${architecture}=${version}`;
}

function distrustOf({ origin }: ArchivedPackage, { settings }: InstallHands): string | undefined {
  if (origin.distrust !== undefined) return `${origin.name}: ${origin.distrust}`;
  return settings.origins.length > 0 && !settings.origins.includes(origin.name)
    ? `${origin.name} is none of vendor_driver.origins`
    : undefined;
}

/** A plan and a consent → the transaction, before its first step. */
export function newTransaction(
  plan: Extract<InstallPlan, { kind: 'planned' }>,
  { wish }: DriverSearch,
  consent: Consent,
  { id, driverBefore }: { readonly id: string; readonly driverBefore: string | undefined },
): Transaction {
  const { candidate } = plan.candidate;
  const { source, origin } = candidate;
  const file = source.kind === 'file' ? source : undefined;
  return {
    id,
    startedAt: new Date().toISOString(),
    device: wish.devpath ?? '',
    modalias: wish.modalias,
    release: wish.release,
    candidate: {
      id: candidate.id,
      finder: candidate.finder,
      kind: source.kind === 'file' ? 'file' : 'package',
      version: source.kind === 'module' ? '' : source.version,
      origin: origin.name,
      suite: origin.suite,
      licence: candidate.licence,
      delivers: candidate.delivers,
      ...(file === undefined
        ? {}
        : { file: { url: file.url, sha256: file.sha256, sizeBytes: file.sizeBytes, fileName: file.fileName } }),
    },
    consent,
    packages: plan.packages,
    // Known before it is put there, so that what a loss of power leaves behind is found.
    files: file === undefined ? [] : [{ path: catalogueFilePath(wish.release, file.fileName), sha256: file.sha256 }],
    step: 'fetch',
    state: 'open',
    modules: [],
    ...(driverBefore === undefined ? {} : { driverBefore }),
  };
}

/** `20261123T130501267-0000-01-00.0`: when, to the millisecond, and for what. */
export function transactionId(device: string, now = new Date()): string {
  const stamp = now.toISOString().replaceAll(/[-:.Z]/g, '');
  const name = device.slice(device.lastIndexOf('/') + 1).replaceAll(/[^A-Za-z0-9.]/g, '-');
  return `${stamp}-${name.slice(0, 48)}`;
}
