import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readModuleRestrictions } from '../kernel/restrictions.ts';
import type { SystemRoot } from '../kernel/system-root.ts';

/** What of a system decides whether a driver can work on it. */
export interface SystemFacts {
  readonly release: string;
  /** Headers of the kernel are there, so that modules can be built for it. */
  readonly hasHeaders: boolean;
  readonly hasDkms: boolean;
  /** Why the kernel takes only modules signed by somebody it knows; undefined when it takes others, too. */
  readonly needsSignature?: string;
  /** Firmware of the machine tells that Secure Boot is on; undefined where there is none to tell. */
  readonly secureBoot?: boolean;
}

/** The variable's name has the vendor GUID of EFI_GLOBAL_VARIABLE; four bytes of attributes precede its value. Source: UEFI 3.3, efivarfs. */
const SECURE_BOOT = 'firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

export function readSystemFacts(roots: SystemRoot, release: string): SystemFacts {
  const { lockdown, enforcesSignatures } = readModuleRestrictions(roots);
  const secureBoot = readSecureBoot(roots.sys);
  const needsSignature = enforcesSignatures
    ? 'module.sig_enforce is set'
    : lockdown === 'integrity' || lockdown === 'confidentiality'
      ? `the kernel is locked down (${lockdown})`
      : undefined;
  return {
    release,
    hasHeaders: hasHeaders(roots, release),
    hasDkms: ['usr/sbin/dkms', 'usr/bin/dkms'].some(file => existsSync(path.join(roots.root, file))),
    ...(needsSignature === undefined ? {} : { needsSignature }),
    ...(secureBoot === undefined ? {} : { secureBoot }),
  };
}

/** `build` in the release's folder leads to a tree that modules can be built against, also seen from outside a root it lies in. */
function hasHeaders({ root, modulesRoots }: SystemRoot, release: string): boolean {
  if (modulesRoots.some(folder => existsSync(path.join(folder, release, 'build/Makefile')))) return true;
  const sources = path.join(root, 'usr/src', `linux-headers-${release}`);
  return existsSync(sources) && readdirSync(sources).includes('Makefile');
}

function readSecureBoot(sys: string): boolean | undefined {
  try {
    return readFileSync(path.join(sys, SECURE_BOOT))[4] === 1;
  } catch {
    return undefined;
  }
}
