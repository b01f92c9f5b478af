import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { ModuleRestrictions } from '../../kernel/restrictions.ts';
import type { ModuleState } from '../5-resolve/plan-load.ts';
import type { CommandEnd, Insertable, Insertion, ModuleLoader } from './module-loader.ts';

/**
 * Hands for a replay: nothing is loaded, but a module that was "inserted" is live from then on, so that what follows goes as it
 * would on a machine. Modules named in `refusals` are refused with that error.
 */
export class NotingLoader implements ModuleLoader {
  readonly canInsert = true;
  readonly #isBuiltin: (module: ModuleName) => boolean;
  readonly #moduleOf: (path: string) => ModuleName;
  readonly #refusals: ReadonlyMap<ModuleName, ErrnoName>;
  readonly #live = new Set<ModuleName>();

  constructor(
    isBuiltin: (module: ModuleName) => boolean,
    moduleOf: (path: string) => ModuleName,
    refusals: ReadonlyMap<ModuleName, ErrnoName> = new Map(),
  ) {
    this.#isBuiltin = isBuiltin;
    this.#moduleOf = moduleOf;
    this.#refusals = refusals;
  }

  insert(path: string): Promise<ErrnoName | undefined> {
    const module = this.#moduleOf(path);
    const refusal = this.#refusals.get(module);
    if (refusal === undefined) this.#live.add(module);
    return Promise.resolve(refusal);
  }

  insertTogether(files: readonly Insertable[]): readonly Promise<Insertion>[] {
    let before: Promise<Insertion> = Promise.resolve({ answer: undefined, tookMs: 0 });
    return files.map(({ path }) => {
      before = before.then(async ({ answer }) => ({
        answer: answer === undefined || answer === 'EEXIST' ? await this.insert(path) : 'not-tried',
        tookMs: 0,
      }));
      return before;
    });
  }

  runCommand(_command: string, module: ModuleName): Promise<CommandEnd> {
    this.#live.add(module);
    return Promise.resolve({ kind: 'exited', status: 0 });
  }

  stateOf(module: ModuleName): ModuleState | undefined {
    if (this.#isBuiltin(module)) return 'builtin';
    return this.#live.has(module) ? 'live' : undefined;
  }

  restrictions(): ModuleRestrictions {
    return { lockdown: 'none', enforcesSignatures: false, modulesDisabled: false, hasModules: true };
  }
}
