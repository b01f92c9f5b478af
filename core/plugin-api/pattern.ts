import { globMatches, hasWildcard } from '../kmod/lookup/glob.ts';
import { normaliseAlias } from '../kmod/lookup/normalise-alias.ts';

/** A list of patterns made ready: those that are plain texts are looked up, the others tried, each under its place in the list. */
interface ReadyPatterns {
  readonly plain: ReadonlyMap<string, number>;
  readonly globs: readonly (readonly [index: number, pattern: string])[];
}

/** By the list itself: a plugin asks about the same lists again and again. */
const readyPatterns = new WeakMap<readonly string[], ReadyPatterns>();
const readyNames = new WeakMap<readonly string[], ReadyPatterns>();

/**
 * The first of some patterns that matches the whole text, or undefined. `*` is any text, slashes too; `?` one character; `[a-f]` one of
 * a set. The list must not be changed afterwards. Source: fnmatch(3) with no flags; filters are read the same way.
 */
export function matchingPattern(patterns: readonly string[], text: string): string | undefined {
  const ready = readyPatterns.get(patterns) ?? makeReady(patterns, readyPatterns, pattern => pattern);
  return firstOf(patterns, ready, text);
}

/** The same for names of modules and for aliases, in which `-` and `_` are one. Source: kmod shared/util.c, alias_normalize. */
export function matchingName(patterns: readonly string[], name: string): string | undefined {
  const ready = readyNames.get(patterns) ?? makeReady(patterns, readyNames, text => normaliseAlias(text) ?? text);
  return firstOf(patterns, ready, name.includes('-') ? name.replaceAll('-', '_') : name);
}

function makeReady(
  patterns: readonly string[],
  kept: WeakMap<readonly string[], ReadyPatterns>,
  normalise: (pattern: string) => string,
): ReadyPatterns {
  const plain = new Map<string, number>();
  const globs: [number, string][] = [];
  for (const [index, pattern] of patterns.map(normalise).entries()) {
    if (hasWildcard(pattern)) globs.push([index, pattern]);
    else if (!plain.has(pattern)) plain.set(pattern, index);
  }
  const ready = { plain, globs };
  kept.set(patterns, ready);
  return ready;
}

function firstOf(patterns: readonly string[], { plain, globs }: ReadyPatterns, text: string): string | undefined {
  const exact = plain.get(text) ?? patterns.length;
  for (const [index, glob] of globs) {
    if (index > exact) break;
    if (globMatches(glob, text)) return patterns[index];
  }
  return patterns[exact];
}
