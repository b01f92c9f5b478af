import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';
import { normaliseAlias } from './normalise-alias.ts';

/**
 * One answer of the look-up: the module and what named it. `place` is exact for configuration; for an index it is the file, and
 * `findAliasLine` (find-alias-line.ts) gives the line when a person wants it.
 */
export interface ModuleMatch {
  readonly module: ModuleName;
  readonly source:
    | 'config-alias'
    | 'modules.dep'
    | 'modules.symbols'
    | 'install'
    | 'remove'
    | 'modules.alias'
    | 'modules.builtin'
    | 'modules.builtin.alias';
  /** The pattern that matched, as the index or configuration has it; the name itself where there is no pattern. */
  readonly pattern: string;
  readonly place: Place;
}

/** Sources that named the module by an alias and not by its own name. */
const BY_ALIAS: ReadonlySet<ModuleMatch['source']> = new Set([
  'config-alias',
  'modules.symbols',
  'modules.alias',
  'modules.builtin.alias',
]);

/**
 * The alias, normalised, a module was found by, or undefined when it was asked for by its own name. Options lines for the alias count
 * then, and modprobe's blacklist applies.
 */
export function aliasOf(query: string, { source }: ModuleMatch): string | undefined {
  return BY_ALIAS.has(source) ? (normaliseAlias(query) ?? query) : undefined;
}
