import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { formatPlace, type Problem } from '../../vocabulary/place.ts';
import { parseStanza } from '../index/deb822.ts';
import type { Origin } from '../origin.ts';
import { listPrefix, readAptSources } from './apt-sources.ts';

export type AptListKind = 'packages' | 'contents' | 'components';

/** One of the lists apt has fetched. */
export interface AptList {
  readonly kind: AptListKind;
  readonly file: string;
  readonly origin: Origin;
  /** `main`, `non-free`; empty in a flat repository. */
  readonly component: string;
}

const KINDS: readonly (readonly [AptListKind, RegExp])[] = [
  ['packages', /_Packages(?:\.(?:gz|xz|zst|lz4))?$/],
  ['contents', /_Contents-(?:all|[a-z0-9]+)(?:\.(?:gz|xz|zst|lz4))?$/],
  ['components', /_Components-[a-z0-9]+\.yml(?:\.(?:gz|xz|zst|lz4))?$/],
];

/** A Release file with keys of a whole archive has a few hundred kB. */
const RELEASE_HEAD_CHARS = 8192;

/**
 * The lists of a root's apt, each with who made it and whether apt has a signature for it: by the name of the (In)Release file beside
 * it, and by the repository in sources.list it came from. Nothing is fetched.
 */
export function readAptLists(root: string): { lists: readonly AptList[]; problems: readonly Problem[] } {
  const dir = path.join(root, 'var/lib/apt/lists');
  const { sources, problems } = readAptSources(root);
  const names = filesIn(dir);
  const releases = names.filter(name => /_(?:In)?Release$/.test(name));
  const lists = names.flatMap((name): readonly AptList[] => {
    const kind = KINDS.find(([, pattern]) => pattern.test(name))?.[0];
    if (kind === undefined) return [];
    const prefixOf = (release: string): string => release.replace(/(?:In)?Release$/, '');
    const release = releases
      .filter(each => name.startsWith(prefixOf(each)))
      .toSorted((a, b) => prefixOf(b).length - prefixOf(a).length || (a < b ? -1 : 1))[0];
    const source = sources.find(each => name.startsWith(listPrefix(each)));
    const facts = release === undefined ? undefined : releaseFacts(path.join(dir, release));
    const isSigned =
      release?.endsWith('_InRelease') === true || (release !== undefined && names.includes(`${release}.gpg`));
    const distrust =
      source === undefined
        ? 'no repository of sources.list has it'
        : source.waives !== undefined
          ? `${source.waives}=yes at ${formatPlace(source.place)} waives its signature`
          : isSigned
            ? undefined
            : 'its Release file is not signed';
    const rest = name.slice(release === undefined ? 0 : prefixOf(release).length);
    return [
      {
        kind,
        file: path.join(dir, name),
        component: /^([^_]+)_/.exec(rest)?.[1] ?? '',
        origin: {
          name: facts?.origin ?? facts?.label ?? source?.uri ?? name,
          suite: facts?.codename ?? facts?.suite ?? source?.suite ?? '',
          ...(source === undefined ? {} : { uri: source.uri }),
          ...(distrust === undefined ? {} : { distrust }),
        },
      },
    ];
  });
  return { lists, problems };
}

function releaseFacts(file: string): Partial<Record<'origin' | 'label' | 'suite' | 'codename', string>> {
  const text = readFileSync(file, 'latin1').slice(0, RELEASE_HEAD_CHARS);
  // An InRelease file has a header of OpenPGP, and a blank line, before its fields.
  const body = text.startsWith('-----BEGIN') ? text.slice(text.indexOf('\n\n') + 2) : text;
  const stanza = parseStanza(body);
  const facts: Partial<Record<'origin' | 'label' | 'suite' | 'codename', string>> = {};
  for (const key of ['origin', 'label', 'suite', 'codename'] as const) {
    const value = stanza.get(key)?.value;
    if (value !== undefined && value !== '') facts[key] = value;
  }
  return facts;
}

function filesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).toSorted();
  } catch {
    return [];
  }
}
