import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached } from '../support/debian-packages.ts';
import { type KernelChoice, kernelTree } from '../support/kernel-tree.ts';
import { elfOfBzImage } from './kernel-image.ts';

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
  const { root, release, dir: modulesDir } = await kernelTree(choice);
  const bzImage = path.join(root, 'boot', `vmlinuz-${release}`);
  const elf = await cached(`vm-kernel-${release}`, dir => {
    writeFileSync(path.join(dir, 'vmlinux'), elfOfBzImage(readFileSync(bzImage), bzImage));
  });
  return {
    release,
    elf: path.join(elf, 'vmlinux'),
    modulesDir,
  };
}
