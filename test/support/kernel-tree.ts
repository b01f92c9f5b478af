import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { dependencyOf, Unavailable, unpackedPackages } from './debian-packages.ts';
import type { DebianTree } from './debian-tree.ts';
import { skip } from './module-world.ts';

/** Debian's kernels the tests use: the stable one, and the newer one whose modules are packed with xz. */
export const KERNELS = {
  stable: { cache: 'debian-kernel', metaPackage: 'linux-image-amd64' },
  newer: { cache: 'debian-kernel-newer', metaPackage: 'linux-image-6.12-amd64' },
} as const;
export type KernelChoice = keyof typeof KERNELS;

/** How long fetching a kernel may take: a slow mirror needs a few minutes for 100 MB. */
const FETCH_MS = 9 * 60_000;

/**
 * A kernel package, unpacked in the cache, with the indexes of Debian's own depmod. Nobody may change it: others use the same folder.
 * @throws {Unavailable} when it cannot be fetched
 */
export async function kernelTree(choice: KernelChoice): Promise<DebianTree> {
  const { cache, metaPackage } = KERNELS[choice];
  const root = await unpackedPackages(cache, () => [dependencyOf(metaPackage, 'linux-image-')], indexWithDebian);
  const release = releaseIn(root);
  return { root, release, dir: path.join(root, 'lib/modules', release) };
}

/** The tree whose modules are packed; undefined, said aloud, where it cannot be had. */
export async function packedTree(t: ExecutionContext): Promise<DebianTree | undefined> {
  t.timeout(FETCH_MS);
  try {
    return await kernelTree('newer');
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    skip(t, error.message);
    return undefined;
  }
}

/** A module tree below a root → its modules.* indexes, by Debian's depmod on the host. */
function indexWithDebian(root: string): void {
  if (!existsSync(path.join(root, 'lib'))) symlinkSync('usr/lib', path.join(root, 'lib'));
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  execFileSync('depmod', ['-b', root, releaseIn(root)], { env });
}

function releaseIn(root: string): string {
  const release = readdirSync(path.join(root, 'lib/modules'))[0];
  if (release === undefined) throw new Error(`${root}: nothing below lib/modules; remove it to fetch it again`);
  return release;
}
