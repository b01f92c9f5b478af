import { openWorld } from '../daemon/module-world.ts';
import { readBootId } from '../kernel/boot-id.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import { readDecisions } from '../pipeline/4-policy/decisions-file.ts';
import { decisionsFile } from '../pipeline/4-policy/decisions-place.ts';
import { applyWish, type WishAnswer, type WishPlace } from '../daemon/apply-wish.ts';
import { changePolicy } from '../daemon/change-policy.ts';
import { effectOf, type PolicyEffect } from '../daemon/policy-effect.ts';
import { changeOf } from '../daemon/policy-wish.ts';
import { withLedger } from '../daemon/with-ledger.ts';
import { runningRelease } from './call-verb.ts';
import type { Caller } from './verb.ts';

/** What a wish would do to the machine as it is now, without doing it. @throws {UsherdError} USAGE, FILE_UNREADABLE */
export function foresee(wish: JsonObject, caller: Caller): PolicyEffect {
  const place = placeOf(caller);
  return effectOf(changeOf(wish, place.moment), place, place);
}

/**
 * Carries out a wish: by the daemon when one runs, since it holds the ledger, else here.
 * @throws {UsherdError} what applyWish throws, here or there
 */
export function makeChange(wish: JsonObject, caller: Caller): Promise<WishAnswer> {
  return withLedger(caller.roots, { verb: 'policy-change', params: wish }, ledger => {
    const place = placeOf(caller);
    return applyWish(wish, caller.uid, {
      ...place,
      change: request => changePolicy(decisionsFile(caller.roots), request, ledger, place.moment),
    });
  });
}

function placeOf({ roots, release }: Caller): Omit<WishPlace, 'change'> {
  return {
    roots,
    world: openWorld(roots, release ?? runningRelease()),
    decisions: readDecisions(decisionsFile(roots)).decisions,
    moment: { nowMs: Date.now(), bootId: readBootId(roots.proc) },
  };
}
