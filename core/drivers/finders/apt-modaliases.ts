import { globMatches } from '../../kmod/lookup/glob.ts';
import type { Place } from '../../vocabulary/place.ts';
import { beats, type ArchivedPackage, type AptArchive } from '../apt/apt-archive.ts';
import { parseModaliasesHeader } from '../apt/modaliases-header.ts';
import { deliveryOf } from '../apt/package-stanza.ts';
import type { DriverCandidate, DriverMatch } from '../candidate.ts';
import { breadthOf } from '../pattern-breadth.ts';
import type { DriverFinder } from './driver-finder.ts';

/** Packages whose `Modaliases:` header claims the device: Ubuntu's archive and vendors' repositories have it. */
export function aptModaliasesFinder(archive: AptArchive): DriverFinder {
  return {
    name: 'apt',
    find: async ({ modalias }, progress) => {
      const found = new Map<string, { readonly candidate: DriverCandidate; readonly archived: ArchivedPackage }>();
      for (const archived of await archive.packagesWithField('Modaliases', progress)) {
        const match = matchOf(modalias, archived, archive);
        if (match === undefined) continue;
        const { source, origin, licence } = archived;
        const before = found.get(source.name);
        if (before !== undefined && !beats(archived, before.archived)) continue;
        const delivers = deliveryOf(source, true);
        found.set(source.name, {
          archived,
          candidate: { id: source.name, finder: 'apt', match, source, origin, delivers, licence },
        });
      }
      return { candidates: [...found.values()].map(({ candidate }) => candidate), problems: archive.problems };
    },
  };
}

/** The narrowest pattern of the header that matches. */
function matchOf(
  modalias: string,
  { stanza, list, line }: ArchivedPackage,
  archive: AptArchive,
): DriverMatch | undefined {
  const header = stanza.get('modaliases');
  if (header === undefined) return undefined;
  const place: Place = { file: list.file, line: line + header.line };
  const claims = parseModaliasesHeader(header.value, message => archive.problems.push({ place, message }));
  const matching = claims.flatMap(({ module, patterns }) =>
    patterns.filter(pattern => globMatches(pattern, modalias)).map(pattern => ({ module, pattern })),
  );
  const [best] = matching.toSorted((a, b) => breadthOf(b.pattern).exactness - breadthOf(a.pattern).exactness);
  return best === undefined ? undefined : { kind: 'modalias', ...best, place };
}
