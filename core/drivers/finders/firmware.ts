import type { AptArchive } from '../apt/apt-archive.ts';
import type { AptList } from '../apt/apt-lists.ts';
import type { DriverCandidate, DriverMatch } from '../candidate.ts';
import type { DriverFinder } from './driver-finder.ts';

/** Folders of firmware in a package, and what the kernel also takes of a file's name. */
const FOLDERS = ['lib/firmware/', 'usr/lib/firmware/', 'lib/firmware/updates/'] as const;
const SUFFIXES = ['', '.xz', '.zst'] as const;
/** Where firmware is in Debian comes first, so that progress tells of what is likely. */
const LIKELY = ['non-free-firmware', 'non-free', 'contrib'];

/** Packages that have a firmware file that is asked for and not there, by the Contents lists of apt. */
export function firmwareFinder(archive: AptArchive): DriverFinder {
  return {
    name: 'firmware',
    find: async ({ firmware }, progress) => {
      if (firmware.length === 0) return { candidates: [], problems: [] };
      const lists = archive.lists('contents').toSorted((a, b) => order(a) - order(b));
      const problems = archive.problems;
      if (lists.length === 0 && archive.lists('packages').length > 0) {
        const file = 'var/lib/apt/lists';
        const message =
          'apt has no Contents lists, by which packages of missing firmware are found; apt-file has them fetched';
        problems.push({ place: { file }, message });
      }
      const matches = new Map<string, DriverMatch>();
      for (const list of lists) {
        progress(`reading ${list.file}`);
        for (const [name, match] of await holders(list, firmware, archive))
          if (!matches.has(name)) matches.set(name, match);
      }
      const packages = await archive.newestOf([...matches.keys()], progress);
      const candidates = [...matches].flatMap(([id, match]): readonly DriverCandidate[] => {
        const found = packages.get(id);
        if (found === undefined) return [];
        const { source, origin, licence } = found;
        return [{ id, finder: 'firmware', match, source, origin, licence, delivers: 'firmware' }];
      });
      return { candidates, problems };
    },
  };
}

function order({ component }: AptList): number {
  const at = LIKELY.indexOf(component);
  return at < 0 ? LIKELY.length : at;
}

/** Lines of one Contents list → package names with what they have. Source: Debian's repository format, "Contents" indices. */
async function holders(
  list: AptList,
  firmware: readonly string[],
  archive: AptArchive,
): Promise<ReadonlyMap<string, DriverMatch>> {
  const paths = new Map<string, string>(
    firmware.flatMap(name =>
      FOLDERS.flatMap(folder => SUFFIXES.map(suffix => [`${folder}${name}${suffix}`, name] as const)),
    ),
  );
  const found = new Map<string, DriverMatch>();
  const needles = firmware.map(name => `lib/firmware/${name}`);
  for await (const { bytes, line } of archive.sections(list, '\n', needles)) {
    const [, file = '', owners = ''] = /^(\S.*?)\s+(\S+)$/.exec(bytes.toString('utf8').trimEnd()) ?? [];
    const name = paths.get(file);
    if (name === undefined) continue;
    for (const owner of owners.split(',')) {
      const packageName = owner.slice(owner.lastIndexOf('/') + 1);
      if (!found.has(packageName)) found.set(packageName, { kind: 'firmware', name, place: { file: list.file, line } });
    }
  }
  return found;
}
