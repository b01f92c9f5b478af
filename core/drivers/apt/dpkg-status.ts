import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseStanza } from '../index/deb822.ts';

/** What dpkg has of one package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Third word of Status: `installed`, `half-configured`, `config-files`. Source: dpkg-query(1). */
  readonly state: string;
}

/** dpkg's status file of a root → its packages by `NAME:ARCHITECTURE`, and by the name alone; none where there is no dpkg. */
export function readDpkgStatus(root: string): ReadonlyMap<string, InstalledPackage> {
  const packages = new Map<string, InstalledPackage>();
  let text: string;
  try {
    text = readFileSync(path.join(root, 'var/lib/dpkg/status'), 'latin1');
  } catch {
    return packages;
  }
  for (const block of text.split('\n\n')) {
    const stanza = parseStanza(block);
    const [name, version] = [stanza.get('package')?.value, stanza.get('version')?.value];
    const state = stanza.get('status')?.value.split(' ')[2];
    if (name === undefined || state === undefined) continue;
    const architecture = stanza.get('architecture')?.value ?? '';
    const found = { name, version: version ?? '', architecture, state };
    packages.set(`${name}:${architecture}`, found);
    // Of several architectures the one that is there counts.
    if (packages.get(name)?.state !== 'installed') packages.set(name, found);
  }
  return packages;
}

/** Files a package brought. Undefined when dpkg does not know it. Source: dpkg's info folder, NAME.list or NAME:ARCH.list. */
export function packageFiles(root: string, name: string, architecture: string): readonly string[] | undefined {
  for (const file of [`${name}.list`, `${name}:${architecture}.list`]) {
    try {
      return readFileSync(path.join(root, 'var/lib/dpkg/info', file), 'utf8')
        .split('\n')
        .filter(line => line !== '');
    } catch {
      // The other name, then.
    }
  }
  return undefined;
}
