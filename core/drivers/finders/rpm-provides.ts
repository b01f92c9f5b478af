import { globSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { globMatches } from '../../kmod/lookup/glob.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { DriverCandidate } from '../candidate.ts';
import { readIndexFile } from '../index/index-file.ts';
import { parseRpmPackage, type RpmPackage } from '../index/rpm-primary.ts';
import { sectionsWith } from '../index/sections.ts';
import { breadthOf } from '../pattern-breadth.ts';
import { licenceClassOfRpm } from '../index/rpm-primary.ts';
import type { DriverFinder } from './driver-finder.ts';

/** Where dnf and libdnf keep what they have fetched: REPOSITORY-HASH/repodata/HASH-primary.xml.gz. */
const CACHES = ['var/cache/dnf', 'var/cache/libdnf5', 'var/cache/PackageKit'];

/** Packages of dnf's repositories that provide `modalias(PATTERN)`, which dnf itself makes nothing of. */
export function rpmProvidesFinder(root: string): DriverFinder {
  return {
    name: 'rpm',
    find: async ({ modalias }, progress) => {
      const problems: Problem[] = [];
      const candidates = new Map<string, DriverCandidate>();
      for (const file of primaryFiles(root)) {
        progress(`reading ${file}`);
        try {
          const needles = ['name="modalias('];
          // A package's element is a section: the next one begins where it ends.
          for await (const { bytes, line } of sectionsWith(readIndexFile(file), {
            separator: '\n</package>',
            needles,
            file,
            problems,
          })) {
            const found = parseRpmPackage(bytes.toString('utf8'));
            if (found === undefined) {
              problems.push({ place: { file, line }, message: 'a package without a sound name or version' });
              continue;
            }
            const candidate = candidateOf(found, modalias, { file, line });
            if (candidate !== undefined && !candidates.has(candidate.id)) candidates.set(candidate.id, candidate);
          }
        } catch (error) {
          if (!(error instanceof UsherdError)) throw error;
          problems.push({ place: { file }, message: error.message });
        }
      }
      return { candidates: [...candidates.values()], problems };
    },
  };
}

function primaryFiles(root: string): readonly string[] {
  return CACHES.flatMap(cache =>
    globSync('*/repodata/*primary.xml{,.gz,.xz,.zst}', { cwd: path.join(root, cache) })
      .toSorted()
      .map(name => path.join(root, cache, name)),
  );
}

function candidateOf(
  { name, version, architecture, license, description, modaliases, sha256, releases }: RpmPackage,
  modalias: string,
  place: { file: string; line: number },
): DriverCandidate | undefined {
  const [pattern] = modaliases
    .filter(each => globMatches(each, modalias))
    .toSorted((a, b) => breadthOf(b).exactness - breadthOf(a).exactness);
  if (pattern === undefined) return undefined;
  const repository = path.basename(path.resolve(place.file, '../..')).replace(/-[0-9a-f]{16}$/, '');
  return {
    id: name,
    finder: 'rpm',
    match: { kind: 'modalias', pattern, place },
    source: {
      kind: 'package',
      manager: 'rpm',
      name,
      version,
      architecture,
      component: '',
      releases,
      isDkms: name.includes('dkms') || name.startsWith('akmod-'),
      ...(sha256 === undefined ? {} : { sha256 }),
      description,
    },
    // dnf checks signatures by repository (gpgcheck=), and usher does not install by dnf.
    origin: { name: repository, suite: '', distrust: 'usher installs by apt only; dnf install does it by hand' },
    delivers: 'module',
    licence: licenceClassOfRpm(license),
  };
}
