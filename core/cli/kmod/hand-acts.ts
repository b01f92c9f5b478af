import type { ModulesByHand } from '../../pipeline/7-ledger/incident.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';

/** What a run of a tool did to the kernel's modules, as it does it. */
export class HandActs {
  readonly #inserted: ModuleName[] = [];
  readonly #removed: ModuleName[] = [];
  readonly #ran: ModuleName[] = [];
  readonly #failed: { readonly module: ModuleName; readonly reason: string }[] = [];

  inserted(module: ModuleName): void {
    this.#inserted.push(module);
  }

  removed(module: ModuleName): void {
    this.#removed.push(module);
  }

  /** Its install or remove command was run. */
  ran(module: ModuleName): void {
    this.#ran.push(module);
  }

  /** It was to be inserted or removed, and was not. */
  failed(module: ModuleName, reason: string): void {
    this.#failed.push({ module, reason });
  }

  /** What is to be told of the run; undefined of one that has done nothing. */
  of(tool: string, words: readonly string[]): ModulesByHand | undefined {
    const lists = { inserted: this.#inserted, removed: this.#removed, ran: this.#ran, failed: this.#failed };
    const done = Object.entries(lists).filter(([, list]) => list.length > 0);
    return done.length === 0 ? undefined : { tool, words, ...Object.fromEntries(done) };
  }
}
