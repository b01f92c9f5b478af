import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { ModuleState } from '../5-resolve/plan-load.ts';
import type { RestsOn } from '../../kernel/rests-on.ts';
import type { ModuleRestrictions } from '../../kernel/restrictions.ts';

/** How an install command ended. */
export type CommandEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly reason: string };

/** A module, its file, and what it is told. */
export interface Insertable {
  readonly module: ModuleName;
  readonly path: string;
  readonly parameters: string;
}

/** What came of one of several insertions. */
export interface Insertion {
  /** Undefined: inserted. */
  readonly answer: ErrnoName | 'not-tried' | undefined;
  readonly tookMs: number;
}

/** The hands of stage 6: what it needs from the kernel. The running system's is in kernel/; a replay has one that only notes. */
export interface ModuleLoader {
  /** False where the kernel has no loadable modules at all: every insertion would end in ENOSYS. */
  readonly canInsert: boolean;
  /** finit_module(2), or init_module(2) where the kernel cannot take the file as it is. Undefined: inserted. */
  insert(path: string, parameters: string): Promise<ErrnoName | undefined>;
  /**
   * Several in one go, in this order or side by side: each after those it needs by the module tree, and answered as soon as it is in.
   * After one that is refused, other than by EEXIST, none is begun any more. What they rest on is put on disk before the first.
   */
  insertTogether(files: readonly Insertable[], restsOn?: RestsOn): readonly Promise<Insertion>[];
  runCommand(command: string, module: ModuleName): Promise<CommandEnd>;
  stateOf(module: ModuleName): ModuleState | undefined;
  restrictions(): ModuleRestrictions;
}
