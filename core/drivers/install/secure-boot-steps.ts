import { existsSync } from 'node:fs';
import path from 'node:path';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { readSystemFacts } from '../system-facts.ts';

/** Where the certificate is that DKMS signs with on this machine. Source: dkms framework.conf, mok_certificate; Ubuntu's shim-signed. */
const CERTIFICATES = ['var/lib/dkms/mok.pub', 'var/lib/shim-signed/mok/MOK.der'] as const;

/**
 * What a person does so that a kernel that takes only signed modules takes those built here; nothing where it takes any. The kernel
 * says "Key was rejected by service" (EKEYREJECTED) and no more. Source: mokutil(1).
 */
export function enrolmentSteps(roots: SystemRoot, release: string): readonly string[] {
  const { needsSignature, secureBoot } = readSystemFacts(roots, release);
  if (needsSignature === undefined && secureBoot !== true) return [];
  const why = needsSignature ?? 'Secure Boot is on';
  const certificate = CERTIFICATES.find(file => existsSync(path.join(roots.root, file)));
  if (certificate === undefined)
    return [
      `${why}: "Key was rejected by service" means that the module is signed by no key the kernel knows, or by none.`,
      'A module built by DKMS is signed with a key of this machine, which is made when dkms and openssl are there; then do the same once more.',
      'A vendor who signs modules has a certificate to enrol: mokutil --import CERTIFICATE.der',
    ];
  return [
    `${why}: "Key was rejected by service" means that the key this machine signs with is not enrolled yet.`,
    `Enrol it: mokutil --import /${certificate}, which asks for a password to be used once.`,
    'Restart; the blue screen (MokManager) offers Enroll MOK: Continue, Yes, the password, Reboot.',
    'mokutil --list-enrolled shows it then; usher driver recover loads the driver.',
  ];
}
