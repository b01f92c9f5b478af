import path from 'node:path';
import type { Place, Problem } from '../../vocabulary/place.ts';
import { listConfFiles, namedSources, readConfFile } from '../config/conf-files.ts';
import { logicalLines } from '../config/logical-lines.ts';
import { excerpt } from '../maps/text-lines.ts';

/** One statement of depmod.d(5). */
export type DepmodDirective =
  | { readonly kind: 'search'; readonly paths: readonly string[]; readonly place: Place }
  | {
      readonly kind: 'override';
      readonly module: string;
      readonly release: string;
      readonly folder: string;
      readonly place: Place;
    }
  | { readonly kind: 'external'; readonly release: string; readonly folder: string; readonly place: Place }
  | { readonly kind: 'exclude'; readonly names: readonly string[]; readonly place: Place };

/** What depmod.d says for one release, in the order it counts. */
export interface DepmodConfig {
  /** Strongest first: a folder below the release's, `built-in` for all others, `external` for the external ones. */
  readonly search: readonly string[];
  /** Strongest first. */
  readonly overrides: readonly { readonly module: string; readonly folder: string }[];
  /** Absolute folders that are searched, too. */
  readonly externals: readonly string[];
  /** Names of folders that are not entered. */
  readonly excluded: readonly string[];
  readonly problems: readonly Problem[];
  /** Every file and folder whose change makes this stale. */
  readonly files: readonly string[];
}

/** What counts without a search line. Source: depmod.d(5). */
const DEFAULT_SEARCH = ['updates', 'built-in'] as const;

const WANTED = {
  search: 'search FOLDER…',
  override: 'override MODULE RELEASE FOLDER',
  external: 'external RELEASE /FOLDER',
  exclude: 'exclude NAME…',
} as const;

/** A depmod.d file → its directives; a line that is not understood is named and left out. */
export function parseDepmodConf(
  text: string,
  file: string,
): { readonly directives: readonly DepmodDirective[]; readonly problems: readonly Problem[] } {
  const directives: DepmodDirective[] = [];
  const problems: Problem[] = [];
  for (const { text: line, number } of logicalLines(text)) {
    if (line.startsWith('#')) continue;
    const [keyword, ...words] = line.split(/[ \t]+/).filter(word => word !== '');
    if (keyword === undefined) continue;
    const place: Place = { file, line: number };
    const directive = readDirective(keyword, words, place);
    if (directive !== undefined) directives.push(directive);
    else if (keyword === 'include' || keyword === 'make_map_files') {
      problems.push({ place, message: `"${keyword}" is deprecated and not read any more` });
    } else {
      const wanted = Object.hasOwn(WANTED, keyword)
        ? `"${WANTED[keyword as keyof typeof WANTED]}"`
        : `one of ${Object.keys(WANTED).join(', ')}`;
      problems.push({ place, message: `ignoring a bad line: found "${excerpt(line.trim())}", wanted ${wanted}` });
    }
  }
  return { directives, problems };
}

function readDirective(keyword: string, words: readonly string[], place: Place): DepmodDirective | undefined {
  const [first, second, third] = words;
  switch (keyword) {
    case 'search':
      return { kind: keyword, paths: words, place };
    case 'exclude':
      return { kind: keyword, names: words, place };
    case 'override':
      return first === undefined || second === undefined || third === undefined
        ? undefined
        : { kind: keyword, module: first, release: second, folder: third, place };
    case 'external':
      return first === undefined || second === undefined || !path.isAbsolute(second)
        ? undefined
        : { kind: keyword, release: first, folder: second, place };
    default:
      return undefined;
  }
}

/**
 * Reads depmod.d for one release: folders strongest first, or files and folders named in their place. Of several override lines
 * the last that fits wins. Source: depmod.d(5); kmod tools/depmod.c.
 */
export function readDepmodConfig({
  dirs,
  files,
  release,
}: {
  readonly dirs: readonly string[];
  readonly files?: readonly string[] | undefined;
  readonly release: string;
}): DepmodConfig {
  const sources = namedSources(dirs, files);
  const found = listConfFiles(sources.dirs, sources.files);
  const problems: Problem[] = [...found.problems];
  const directives: DepmodDirective[] = [];
  for (const file of found.files) {
    const text = readConfFile(file, problems);
    if (text === undefined) continue;
    const parsed = parseDepmodConf(text, file);
    directives.push(...parsed.directives);
    problems.push(...parsed.problems);
  }
  return mergeDepmodConfig(directives, release, problems, [...new Set([...sources.dirs, ...found.files])]);
}

/** Directives in order → what they come to for one release. */
export function mergeDepmodConfig(
  directives: readonly DepmodDirective[],
  release: string,
  earlier: readonly Problem[] = [],
  files: readonly string[] = [],
): DepmodConfig {
  const problems = [...earlier];
  const search: string[] = [];
  const overrides: { module: string; folder: string }[] = [];
  const externals: string[] = [];
  const excluded: string[] = [];
  for (const directive of directives) {
    if (directive.kind === 'search') search.push(...directive.paths);
    else if (directive.kind === 'exclude') excluded.push(...directive.names);
    else if (releaseMatches(directive.release, release, directive.place, problems)) {
      if (directive.kind === 'override') overrides.unshift({ module: directive.module, folder: directive.folder });
      else externals.push(directive.folder);
    }
  }
  return { search: search.length > 0 ? search : DEFAULT_SEARCH, overrides, externals, excluded, problems, files };
}

/** `*`, or a POSIX extended regular expression found anywhere in the release. */
function releaseMatches(pattern: string, release: string, place: Place, problems: Problem[]): boolean {
  if (pattern === '*') return true;
  try {
    return new RegExp(pattern.replaceAll('[[:digit:]]', '[0-9]').replaceAll('[[:alpha:]]', '[A-Za-z]')).test(release);
  } catch {
    problems.push({ place, message: `found "${pattern}", wanted "*" or a regular expression for a kernel release` });
    return false;
  }
}
