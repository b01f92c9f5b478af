import { globMatches } from '../kmod/lookup/glob.ts';
import { normaliseAlias } from '../kmod/lookup/normalise-alias.ts';

/**
 * The first of some patterns that matches the whole text, or undefined. `*` is any text, slashes too; `?` one character; `[a-f]` one of
 * a set. Source: fnmatch(3) with no flags; filters are read the same way.
 */
export function matchingPattern(patterns: readonly string[], text: string): string | undefined {
  return patterns.find(pattern => globMatches(pattern, text));
}

/** The same for names of modules and for aliases, in which `-` and `_` are one. Source: kmod shared/util.c, alias_normalize. */
export function matchingName(patterns: readonly string[], name: string): string | undefined {
  const asked = name.replaceAll('-', '_');
  return patterns.find(pattern => globMatches(normaliseAlias(pattern) ?? pattern, asked));
}
