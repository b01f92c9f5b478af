import type { Decision } from '../pipeline/4-policy/opinion.ts';
import { formatPlace } from '../vocabulary/place.ts';

/** What came of one module under one policy. That nobody spoke and that somebody allowed it comes to the same: it loads. */
export interface Said {
  readonly verdict: 'load' | 'replace' | 'hold' | 'deny';
  /** Who decided it; absent when nobody had to. */
  readonly by?: string;
  readonly reason?: string;
  /** `FILE:LINE` where it stands written. */
  readonly place?: string;
  /** With `replace`: the module in place of it. */
  readonly replacement?: string;
}

/** A module about which two policies differ. */
export interface DecisionDifference {
  readonly module: string;
  readonly before: Said;
  readonly after: Said;
}

const STRICTEST_FIRST = ['deny', 'hold', 'replace', 'load'] as const satisfies readonly Said['verdict'][];
const LOAD: Said = { verdict: 'load' };

/**
 * The decisions of two policies on one wish → the modules they differ about. What the second was not asked about, because what it would
 * load does not bring that module along, is no difference; what the first was not asked about would have loaded.
 */
export function differencesOf(before: readonly Decision[], after: readonly Decision[]): readonly DecisionDifference[] {
  const [first, second] = [saidOf(before), saidOf(after)];
  return [...second].flatMap(([module, said]) => {
    const was = first.get(module) ?? LOAD;
    return was.verdict === said.verdict && was.replacement === said.replacement
      ? []
      : [{ module, before: was, after: said }];
  });
}

/** Who a difference is owed to: whoever is stricter. `plugin blacklist`, `rules, /etc/…/50.rules:3`. */
export function causeOf({ before, after }: DecisionDifference): string {
  const { by = 'nobody', place } = strictness(after) <= strictness(before) ? after : before;
  return place === undefined ? by : `${by}, ${place}`;
}

/** A module that several candidates bring along has several decisions: the strictest is what counts. */
function saidOf(decisions: readonly Decision[]): ReadonlyMap<string, Said> {
  const said = new Map<string, Said>();
  for (const decision of decisions) {
    const [now, known] = [sayingOf(decision), said.get(decision.module)];
    if (known === undefined || strictness(now) < strictness(known)) said.set(decision.module, now);
  }
  return said;
}

function strictness({ verdict }: Said): number {
  return STRICTEST_FIRST.indexOf(verdict);
}

function sayingOf({ verdict, winner }: Decision): Said {
  if (winner === undefined || verdict === 'allow' || verdict === 'abstain') return LOAD;
  const { by, reason, place, replacement } = winner;
  return {
    verdict,
    by,
    reason,
    // A column would part rules of one line from another, and nobody asks for it.
    ...(place === undefined
      ? {}
      : {
          place: formatPlace(place.line === undefined ? { file: place.file } : { file: place.file, line: place.line }),
        }),
    ...(replacement === undefined ? {} : { replacement }),
  };
}
