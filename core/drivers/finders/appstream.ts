import { globSync } from 'node:fs';
import path from 'node:path';
import { globMatches } from '../../kmod/lookup/glob.ts';
import type { AptArchive } from '../apt/apt-archive.ts';
import type { AptList } from '../apt/apt-lists.ts';
import { deliveryOf } from '../apt/package-stanza.ts';
import type { DriverCandidate, DriverMatch } from '../candidate.ts';
import type { DriverWish } from '../driver-wish.ts';
import { parseComponent, type Dep11Component } from '../index/dep11.ts';
import { breadthOf } from '../pattern-breadth.ts';
import type { Place } from '../../vocabulary/place.ts';
import type { DriverFinder, Progress } from './driver-finder.ts';

/** Where AppStream keeps catalogues that no list of apt is. Source: AppStream 1.0, "Catalog metadata", location. */
const FOLDERS = [
  'var/cache/swcatalog/yaml',
  'var/lib/swcatalog/yaml',
  'var/lib/app-info/yaml',
  'usr/share/swcatalog/yaml',
];

/** Packages whose AppStream component (DEP-11) provides the device's modalias, or a firmware file that is asked for. */
export function appstreamFinder(archive: AptArchive, root: string): DriverFinder {
  // Few of all components have what is looked for: read once, they answer for every device.
  let components: readonly PlacedComponent[] | undefined;
  return {
    name: 'appstream',
    find: async (wish, progress) => {
      const matches = new Map<string, DriverMatch>();
      components ??= await readComponents(archive, root, progress);
      for (const { component, place } of components) {
        const match = matchOf(component, wish, place);
        if (match === undefined) continue;
        const before = matches.get(component.package);
        if (before === undefined || exactness(match) > exactness(before)) matches.set(component.package, match);
      }
      const packages = await archive.newestOf([...matches.keys()], progress);
      const candidates = [...matches].flatMap(([name, match]): readonly DriverCandidate[] => {
        const found = packages.get(name);
        if (found === undefined) return [];
        const { source, origin, licence } = found;
        return [{ id: name, finder: 'appstream', match, source, origin, licence, delivers: deliveryOf(source, false) }];
      });
      return { candidates, problems: archive.problems };
    },
  };
}

interface PlacedComponent {
  readonly component: Dep11Component;
  readonly place: Place;
}

async function readComponents(
  archive: AptArchive,
  root: string,
  progress: Progress,
): Promise<readonly PlacedComponent[]> {
  const found: PlacedComponent[] = [];
  for (const list of listsOf(archive, root)) {
    progress(`reading ${list.file}`);
    for await (const { bytes, line } of archive.sections(list, '\n---\n', ['\n  modaliases:', '\n  firmware:'])) {
      const component = parseComponent(bytes.toString('utf8'));
      if (component !== undefined) found.push({ component, place: { file: list.file, line } });
    }
  }
  return found;
}

function listsOf(archive: AptArchive, root: string): readonly AptList[] {
  const others = FOLDERS.flatMap(folder =>
    globSync('*.yml{,.gz,.xz,.zst}', { cwd: path.join(root, folder) }).map(name => path.join(root, folder, name)),
  );
  return [
    ...archive.lists('components'),
    ...others.toSorted().map(file => ({
      kind: 'components' as const,
      file,
      component: '',
      origin: { name: path.basename(file), suite: '' },
    })),
  ];
}

function matchOf(
  { modaliases, firmware }: { readonly modaliases: readonly string[]; readonly firmware: readonly string[] },
  wish: DriverWish,
  place: DriverMatch['place'],
): DriverMatch | undefined {
  const file = wish.firmware.find(name => firmware.includes(name));
  if (file !== undefined) return { kind: 'firmware', name: file, place };
  const [pattern] = modaliases
    .filter(each => globMatches(each, wish.modalias))
    .toSorted((a, b) => breadthOf(b).exactness - breadthOf(a).exactness);
  return pattern === undefined ? undefined : { kind: 'modalias', pattern, place };
}

/** A file that is missing is a better reason than any pattern. */
function exactness(match: DriverMatch): number {
  return match.kind === 'firmware' ? 5 : breadthOf(match.pattern).exactness;
}
