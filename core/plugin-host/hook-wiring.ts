import type { HookKind } from '../plugin-api/hooks.ts';
import type { HookFacts } from './describe-plugin.ts';
import { HookFilter } from './hook-filter.ts';
import { clean } from './parse-answer.ts';
import type { PluginSeat } from './plugin-seat.ts';

/** A hook that is called, and where it sits. */
export interface WiredHook {
  readonly seat: PluginSeat;
  readonly index: number;
  readonly facts: HookFacts;
  readonly filter: HookFilter;
}

/** Who is called for what: plugins in order of their numbers, then of their names. */
export interface Wiring {
  readonly hooks: Readonly<Record<HookKind, readonly WiredHook[]>>;
  /** Plugins without which nothing may load and that do not run, each with why. */
  readonly missing: readonly { readonly by: string; readonly reason: string }[];
}

export const NOBODY: Wiring = {
  hooks: { observe: [], opine: [], nomatch: [], afterLoad: [], report: [] },
  missing: [],
};

/** Plugins as they sit now → who is called. */
export function wire(seats: Iterable<PluginSeat>): Wiring {
  const inOrder = [...seats].toSorted((a, b) => a.order - b.order || (a.place.name < b.place.name ? -1 : 1));
  const wired = inOrder.flatMap(seat =>
    seat.hooks.map((facts, index): WiredHook => ({ seat, index, facts, filter: new HookFilter(facts.filter) })),
  );
  const of = (kind: HookKind): readonly WiredHook[] =>
    wired.filter(({ facts, seat }) => facts.kind === kind && isCalled(seat, facts));
  return {
    hooks: {
      observe: of('observe'),
      opine: of('opine'),
      nomatch: of('nomatch'),
      afterLoad: of('afterLoad'),
      report: of('report'),
    },
    missing: inOrder
      .filter(({ isRequired, running }) => isRequired && running === undefined)
      .map(({ place, because = 'it is being started' }) => ({
        by: `plugin ${place.name}`,
        reason: `it is required and does not run: ${clean(because)}`,
      })),
  };
}

/** One in quarantine is asked for opinions only, and that is only to have its onError count. */
function isCalled({ isQuarantined }: PluginSeat, { kind, onError }: HookFacts): boolean {
  return !isQuarantined || (kind === 'opine' && onError === 'deny');
}
