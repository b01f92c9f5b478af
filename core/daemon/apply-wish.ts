import { UsherdError } from '../errors.ts';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import { changeText } from '../pipeline/4-policy/decision-change.ts';
import type { Moment, StandingDecisions } from '../pipeline/4-policy/standing-decisions.ts';
import type { ModuleWorld } from '../pipeline/5-resolve/probe-list.ts';
import type { Changed, ChangeRequest } from './change-policy.ts';
import { effectOf } from './policy-effect.ts';
import { changeOf } from './policy-wish.ts';

/** Where a wish is looked at and carried out: in the daemon, or in the process of the verb. */
export interface WishPlace {
  readonly roots: SystemRoot;
  readonly world: ModuleWorld;
  readonly decisions: StandingDecisions;
  readonly moment: Moment;
  readonly change: (request: ChangeRequest) => Changed;
}

/** What is answered to the verb. */
export interface WishAnswer {
  readonly isChanged: boolean;
  /** What is cut off, because it was forced. */
  readonly forced: readonly string[];
}

/**
 * A verb's wish → the changed decisions. Nobody locks themselves out without saying that they mean it.
 * @throws {UsherdError} USAGE, LOCK_OUT, and what changing the decisions throws
 */
export function applyWish(wish: JsonObject, uid: number, place: WishPlace): WishAnswer {
  const change = changeOf(wish, place.moment);
  const { lockOut } = effectOf(change, place, place);
  if (lockOut.length > 0 && wish['force'] !== true) {
    const message = `${changeText(change)} is refused: ${lockOut.join('; ')}`;
    throw new UsherdError('LOCK_OUT', message, { lockOut });
  }
  const { isChanged } = place.change({ change, uid, forced: lockOut });
  return { isChanged, forced: lockOut };
}
