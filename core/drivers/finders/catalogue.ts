import { globMatches } from '../../kmod/lookup/glob.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { AptArchive } from '../apt/apt-archive.ts';
import type { DriverCandidate } from '../candidate.ts';
import { readCatalogues, type CatalogueEntry } from '../catalogue.ts';
import { breadthOf } from '../pattern-breadth.ts';
import type { DriverFinder } from './driver-finder.ts';
import { licenceClass } from './module-tree.ts';

/** What the administrator's signed catalogues have for the device: a package, or a module's file with its hash. */
export function catalogueFinder(configDirs: readonly string[], archive: AptArchive): DriverFinder {
  return {
    name: 'catalogue',
    find: async ({ modalias }, progress) => {
      const { entries, problems } = readCatalogues(configDirs);
      const matching = entries.flatMap(entry => {
        const [pattern] = entry.modaliases
          .filter(each => globMatches(each, modalias))
          .toSorted((a, b) => breadthOf(b).exactness - breadthOf(a).exactness);
        return pattern === undefined ? [] : [{ entry, pattern }];
      });
      const named = matching.flatMap(({ entry: { what } }) => (what.kind === 'package' ? [what.package] : []));
      const packages = await archive.newestOf(named, progress);
      const missing: Problem[] = [];
      const candidates = matching.flatMap(({ entry, pattern }): readonly DriverCandidate[] => {
        const match = { kind: 'modalias', pattern, place: entry.place } as const;
        const { what } = entry;
        if (what.kind === 'file') return [fileCandidate(entry, what, match)];
        const found = packages.get(what.package);
        if (found === undefined) {
          missing.push({ place: entry.place, message: `no list of apt has the package ${what.package}` });
          return [];
        }
        const { source, origin } = found;
        const licence = entry.license === '' ? found.licence : licenceClass(entry.license);
        return [{ id: source.name, finder: 'catalogue', match, source, origin, licence, delivers: 'module' }];
      });
      return { candidates, problems: [...problems, ...missing] };
    },
  };
}

function fileCandidate(
  entry: CatalogueEntry,
  what: Extract<CatalogueEntry['what'], { kind: 'file' }>,
  match: DriverCandidate['match'],
): DriverCandidate {
  return {
    id: entry.id,
    finder: 'catalogue',
    match,
    source: { ...what, version: entry.version, license: entry.license },
    origin: { name: `catalogue ${entry.catalogue}`, suite: '', uri: what.url },
    delivers: 'module',
    licence: licenceClass(entry.license === '' ? undefined : entry.license),
  };
}
