import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';

/** What became of one step. `tookMs` has a fraction. */
export type Outcome =
  | { readonly kind: 'inserted'; readonly module: ModuleName; readonly tookMs: number }
  | { readonly kind: 'already-loaded'; readonly module: ModuleName }
  | { readonly kind: 'builtin'; readonly module: ModuleName }
  | { readonly kind: 'ran'; readonly module: ModuleName; readonly command: string; readonly tookMs: number }
  | {
      readonly kind: 'refused';
      readonly module: ModuleName;
      readonly errno: ErrnoName;
      /** What the number means here, for a person: signature, lockdown, vermagic, unknown symbol. */
      readonly meaning: string;
      readonly tookMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly module: ModuleName;
      /** An install command's exit status, or what kept it from running. */
      readonly reason: string;
      readonly tookMs: number;
    }
  | { readonly kind: 'skipped'; readonly module: ModuleName; readonly reason: string }
  /** Observing: what would have been done. */
  | { readonly kind: 'observed'; readonly module: ModuleName };
