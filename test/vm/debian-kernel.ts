import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached, dependencyOf, unpackedPackages } from '../support/debian-packages.ts';
import { elfOfBzImage } from './kernel-image.ts';

/** Debian's kernels the tests boot: the stable one, and the newer one whose modules are compressed. */
export const KERNELS = {
  stable: { cache: 'debian-kernel', metaPackage: 'linux-image-amd64' },
  newer: { cache: 'debian-kernel-newer', metaPackage: 'linux-image-6.12-amd64' },
} as const;
export type KernelChoice = keyof typeof KERNELS;

/** A kernel of Debian's, unpacked. Nobody may change it: others use the same folder. */
export interface DebianKernel {
  readonly release: string;
  /** The kernel as QEMU enters it. */
  readonly elf: string;
  /** `…/lib/modules/RELEASE` as the package ships it, and the indexes of Debian's own depmod beside. */
  readonly modulesDir: string;
}

/** @throws {Unavailable} when it cannot be fetched */
export async function debianKernel(choice: KernelChoice): Promise<DebianKernel> {
  const { cache, metaPackage } = KERNELS[choice];
  const unpacked = await unpackedPackages(cache, () => [dependencyOf(metaPackage, 'linux-image-')], indexWithDebian);
  const release = releaseIn(unpacked);
  const bzImage = path.join(unpacked, 'boot', `vmlinuz-${release}`);
  const elf = await cached(`vm-kernel-${release}`, dir => {
    writeFileSync(path.join(dir, 'vmlinux'), elfOfBzImage(readFileSync(bzImage), bzImage));
  });
  return {
    release,
    elf: path.join(elf, 'vmlinux'),
    modulesDir: path.join(unpacked, 'lib/modules', release),
  };
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
