import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';

/**
 * One answer of the look-up: the module and what named it. `place` is exact for configuration; for an index it is the file, and
 * `findAliasLine` (module-tree.ts) gives the line when a person wants it.
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
