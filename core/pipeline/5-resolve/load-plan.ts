import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Place } from '../../vocabulary/place.ts';

/** Why a module stands in a plan. */
export type Role = 'target' | 'dependency' | 'softdep-pre' | 'softdep-post';

interface StepFacts {
  readonly module: ModuleName;
  readonly role: Role;
  /** The module that needs this one; absent on the target. */
  readonly neededBy?: ModuleName;
  /** A required step that fails ends the plan; softdeps are not required. */
  readonly required: boolean;
}

/** One step of a plan. Pure data: dry run, explain, `modprobe -n -v`, `-D` and the ledger all print the same. */
export type Step = StepFacts &
  (
    | {
        readonly kind: 'insert';
        /** Absolute path of the module file. */
        readonly path: string;
        /** Options as finit_module(2) takes them, joined by blanks; empty when there are none. */
        readonly parameters: string;
        /** Lines of the configuration the parameters come from. */
        readonly optionPlaces: readonly Place[];
      }
    | {
        readonly kind: 'run-install';
        /** The install command as the configuration has it, for /bin/sh once $CMDLINE_OPTS is filled in. */
        readonly command: string;
        /** What $CMDLINE_OPTS stands for. */
        readonly parameters: string;
        readonly place: Place;
      }
    | { readonly kind: 'loaded' }
    | { readonly kind: 'builtin' }
    | {
        /** Nothing by that name in the tree: a softdep or dependency that is not installed. */
        readonly kind: 'missing';
        readonly name: string;
      }
  );

/** What modprobe would do for one target, in order. */
export interface LoadPlan {
  readonly target: ModuleName;
  readonly steps: readonly Step[];
}
