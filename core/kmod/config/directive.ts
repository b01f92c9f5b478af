import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';

/**
 * One statement of modprobe.d(5), of a tree's modules.softdep or modules.weakdep, or of the kernel command line, with the
 * place it stands at. Alias patterns and module names are normalised (`-` is `_`), commands and option texts are as written.
 */
export type Directive =
  | { readonly kind: 'alias'; readonly pattern: string; readonly module: ModuleName; readonly place: Place }
  | { readonly kind: 'options'; readonly module: ModuleName; readonly text: string; readonly place: Place }
  | { readonly kind: 'blacklist'; readonly module: ModuleName; readonly place: Place }
  | { readonly kind: 'install'; readonly pattern: string; readonly command: string; readonly place: Place }
  | { readonly kind: 'remove'; readonly pattern: string; readonly command: string; readonly place: Place }
  | {
      readonly kind: 'softdep';
      readonly module: ModuleName;
      readonly pre: readonly string[];
      readonly post: readonly string[];
      readonly place: Place;
    }
  | {
      readonly kind: 'weakdep';
      readonly module: ModuleName;
      readonly modules: readonly string[];
      readonly place: Place;
    };

export type DirectiveOf<Kind extends Directive['kind']> = Extract<Directive, { readonly kind: Kind }>;
