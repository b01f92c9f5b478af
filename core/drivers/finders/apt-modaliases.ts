import { globMatches } from '../../kmod/lookup/glob.ts';
import type { Place } from '../../vocabulary/place.ts';
import { beats, type ArchivedPackage, type AptArchive } from '../apt/apt-archive.ts';
import { parseModaliasesHeader, type ClaimedPatterns } from '../apt/modaliases-header.ts';
import { deliveryOf } from '../apt/package-stanza.ts';
import type { DriverCandidate, DriverMatch } from '../candidate.ts';
import { breadthOf } from '../pattern-breadth.ts';
import type { DriverFinder } from './driver-finder.ts';

/** Packages whose `Modaliases:` header claims the device: Ubuntu's archive and vendors' repositories have it. */
export function aptModaliasesFinder(archive: AptArchive): DriverFinder {
  // A header is read once, and complained of once, however many devices are asked about.
  const parsed = new WeakMap<ArchivedPackage, Claims>();
  const claimsOf = (archived: ArchivedPackage): Claims => {
    const claims = parsed.get(archived) ?? readClaims(archived, archive);
    parsed.set(archived, claims);
    return claims;
  };
  return {
    name: 'apt',
    find: async ({ modalias }, progress) => {
      const found = new Map<string, { readonly candidate: DriverCandidate; readonly archived: ArchivedPackage }>();
      for (const archived of await archive.packagesWithField('Modaliases', progress)) {
        const match = matchOf(modalias, claimsOf(archived));
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

/** What a header claims, and where it is. */
interface Claims {
  readonly claimed: readonly ClaimedPatterns[];
  readonly place: Place;
}

function readClaims({ stanza, list, line }: ArchivedPackage, archive: AptArchive): Claims {
  const header = stanza.get('modaliases');
  const place: Place = { file: list.file, line: line + (header?.line ?? 0) };
  const complain = (message: string): void => void archive.problems.push({ place, message });
  return { claimed: parseModaliasesHeader(header?.value ?? '', complain), place };
}

/** The narrowest pattern of the header that matches. */
function matchOf(modalias: string, { claimed, place }: Claims): DriverMatch | undefined {
  const matching = claimed.flatMap(({ module, patterns }) =>
    patterns.filter(pattern => globMatches(pattern, modalias)).map(pattern => ({ module, pattern })),
  );
  const [best] = matching.toSorted((a, b) => breadthOf(b.pattern).exactness - breadthOf(a.pattern).exactness);
  return best === undefined ? undefined : { kind: 'modalias', ...best, place };
}
