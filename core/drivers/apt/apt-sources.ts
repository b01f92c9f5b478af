import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Place, Problem } from '../../vocabulary/place.ts';
import { parseStanza } from '../index/deb822.ts';

/** One repository the administrator has named: a URI with one suite. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  /** Its lists are taken without a sound signature: `[trusted=yes]`, `Trusted: yes`, or one of the `allow-*` options. */
  readonly waives: string | undefined;
  readonly place: Place;
}

/** Options that have apt take what nobody signed. Source: sources.list(5). */
const WAIVERS = ['trusted', 'allow-insecure', 'allow-weak', 'allow-downgrade-to-insecure'] as const;

/** sources.list and sources.list.d of a root → repositories, and what could not be read. Source: sources.list(5). */
export function readAptSources(root: string): { sources: readonly AptSource[]; problems: readonly Problem[] } {
  const dir = path.join(root, 'etc/apt/sources.list.d');
  const names = list(dir).filter(name => /^[\w.-]+\.(list|sources)$/.test(name));
  const problems: Problem[] = [];
  const sources = [
    path.join(root, 'etc/apt/sources.list'),
    ...names.toSorted().map(name => path.join(dir, name)),
  ].flatMap(file => {
    const text = read(file);
    if (text === undefined) return [];
    return file.endsWith('.sources')
      ? parseDeb822Sources(text, file, problems)
      : parseListSources(text, file, problems);
  });
  return { sources, problems };
}

/** Lines of a sources.list: `deb [options] uri suite component…`. */
export function parseListSources(text: string, file: string, problems: Problem[]): readonly AptSource[] {
  return text.split('\n').flatMap((content, n): readonly AptSource[] => {
    const line = content.replace(/#.*/, '').trim();
    if (line === '') return [];
    const place = { file, line: n + 1 };
    const [, type, options = '', uri, suite] = /^(\S+)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line) ?? [];
    if (uri === undefined || suite === undefined || (type !== 'deb' && type !== 'deb-src')) {
      problems.push({ place, message: `"${line.slice(0, 80)}", wanted deb [options] URI SUITE COMPONENT…` });
      return [];
    }
    if (type === 'deb-src') return [];
    const waives = WAIVERS.find(name =>
      new RegExp(String.raw`(?:^|\s)${name}=(?:yes|true|1|on)(?:\s|$)`, 'i').test(options),
    );
    return [{ uri, suite, waives, place }];
  });
}

/** Stanzas of a .sources file. */
export function parseDeb822Sources(text: string, file: string, problems: Problem[]): readonly AptSource[] {
  const sources: AptSource[] = [];
  let line = 1;
  for (const block of text.split(/\n[ \t]*\n/)) {
    const stanza = parseStanza(block);
    const words = (name: string): readonly string[] =>
      stanza
        .get(name)
        ?.value.split(/\s+/)
        .filter(word => word !== '') ?? [];
    const place = { file, line };
    line += block.split('\n').length + 1;
    if (stanza.size === 0) continue;
    const [uris, suites] = [words('uris'), words('suites')];
    if (uris.length === 0 || suites.length === 0 || words('types').length === 0) {
      problems.push({ place, message: 'an entry without Types, URIs or Suites' });
      continue;
    }
    if (!words('types').includes('deb') || isNo(stanza.get('enabled')?.value)) continue;
    const waives = WAIVERS.find(name => isYes(stanza.get(name)?.value));
    for (const uri of uris) for (const suite of suites) sources.push({ uri, suite, waives, place });
  }
  return sources;
}

/** What a repository's lists begin with in apt's folder: `deb.example.org_debian_dists_bookworm_`. Source: apt, URItoFileName. */
export function listPrefix({ uri, suite }: Pick<AptSource, 'uri' | 'suite'>): string {
  const base = uri.endsWith('/') ? uri : `${uri}/`;
  // A suite that ends in a slash is a path: a flat repository.
  const folder = suite.endsWith('/')
    ? `${base}${suite === '/' ? '' : suite.replace(/^\//, '')}`
    : `${base}dists/${suite}/`;
  const plain = folder.replace(/^[a-z+.-]+:(?:\/\/)?/i, '').replace(/^[^/@]*@/, '');
  return plain
    .replaceAll(/[\\|{}[\]<>"^~_=!@#$%&*]/g, sign => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll('/', '_');
}

function isYes(value: string | undefined): boolean {
  return value !== undefined && /^(yes|true|1|on|with|enable)$/i.test(value);
}

function isNo(value: string | undefined): boolean {
  return value !== undefined && /^(no|false|0|off|without|disable)$/i.test(value);
}

function list(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
