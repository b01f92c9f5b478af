import { UsherdError } from '../../errors.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { DriverSource, LicenceClass } from '../candidate.ts';
import type { Progress } from '../finders/driver-finder.ts';
import { parseStanza, type Stanza } from '../index/deb822.ts';
import { readIndexFile } from '../index/index-file.ts';
import { sectionsWith } from '../index/sections.ts';
import type { Origin } from '../origin.ts';
import { readAptLists, type AptList, type AptListKind } from './apt-lists.ts';
import { compareDebVersions } from './deb-version.ts';
import { readDpkgStatus, type InstalledPackage } from './dpkg-status.ts';
import { licenceOfComponent, packageOf } from './package-stanza.ts';

/** One version of a package in one of apt's lists. */
export interface ArchivedPackage {
  readonly source: Extract<DriverSource, { kind: 'package' }>;
  readonly origin: Origin;
  readonly licence: LicenceClass;
  readonly stanza: Stanza;
  readonly list: AptList;
  /** First line of its stanza. */
  readonly line: number;
}

/** What apt knows of packages, from the lists it has fetched. Nothing is fetched, and apt is not started. */
export class AptArchive {
  readonly problems: Problem[];
  readonly #lists: readonly AptList[];
  readonly #installed: ReadonlyMap<string, InstalledPackage>;
  readonly #withField = new Map<string, readonly ArchivedPackage[]>();

  constructor(root: string) {
    const { lists, problems } = readAptLists(root);
    this.#lists = lists;
    this.problems = [...problems];
    this.#installed = readDpkgStatus(root);
  }

  lists(kind: AptListKind): readonly AptList[] {
    return this.#lists.filter(list => list.kind === kind);
  }

  /** Every package version whose stanza holds one of these texts, list by list. */
  async *packagesWith(needles: readonly string[], progress: Progress): AsyncGenerator<ArchivedPackage> {
    if (needles.length === 0) return;
    for (const list of this.lists('packages')) {
      progress(`reading ${list.file}`);
      for await (const { bytes, line } of this.sections(list, '\n\n', needles)) {
        const stanza = parseStanza(bytes.toString('utf8'));
        const name = stanza.get('package')?.value ?? '';
        const source = packageOf(stanza, list.component, this.#installedVersion(name));
        if (source === undefined) {
          this.problems.push({
            place: { file: list.file, line },
            message: `a package without a sound name or version`,
          });
          continue;
        }
        const section = stanza.get('section')?.value ?? '';
        const licence = licenceOfComponent(source.component, section);
        yield { source, origin: list.origin, licence, stanza, list, line };
      }
    }
  }

  /** Every package version that has this field, read once: few of all packages have it. */
  async packagesWithField(field: string, progress: Progress): Promise<readonly ArchivedPackage[]> {
    const known = this.#withField.get(field);
    if (known !== undefined) return known;
    const found: ArchivedPackage[] = [];
    // Names of fields are alike whatever their case; these are the ones that are written.
    for await (const each of this.packagesWith([`\n${field}:`, `\n${field.toLowerCase()}:`], progress))
      found.push(each);
    this.#withField.set(field, found);
    return found;
  }

  /** The newest version of each of these packages, with trusted origins before others. */
  async newestOf(names: readonly string[], progress: Progress): Promise<ReadonlyMap<string, ArchivedPackage>> {
    const newest = new Map<string, ArchivedPackage>();
    const wanted = new Set(names);
    for await (const found of this.packagesWith(
      [...wanted].map(name => `Package: ${name}\n`),
      progress,
    )) {
      const { name } = found.source;
      const before = newest.get(name);
      if (wanted.has(name) && (before === undefined || beats(found, before))) newest.set(name, found);
    }
    return newest;
  }

  /** Sections of a list that hold one of these texts. A list that cannot be read is a problem. */
  async *sections(
    list: AptList,
    separator: string,
    needles: readonly string[],
  ): AsyncGenerator<{ bytes: Buffer; line: number }> {
    const { problems } = this;
    try {
      yield* sectionsWith(readIndexFile(list.file), { separator, needles, file: list.file, problems });
    } catch (error) {
      if (!(error instanceof UsherdError)) throw error;
      problems.push({ place: { file: list.file }, message: error.message });
    }
  }

  #installedVersion(name: string): string | undefined {
    const known = this.#installed.get(name);
    return known === undefined || known.state === 'config-files' || known.state === 'not-installed'
      ? undefined
      : known.version;
  }
}

/** Whether one version of a package is to be taken rather than another. */
export function beats(
  a: Pick<ArchivedPackage, 'source' | 'origin'>,
  b: Pick<ArchivedPackage, 'source' | 'origin'>,
): boolean {
  const trust = Number(b.origin.distrust !== undefined) - Number(a.origin.distrust !== undefined);
  return trust === 0 ? compareDebVersions(a.source.version, b.source.version) > 0 : trust > 0;
}
