import type { Opinion } from './opinion.ts';
import { askedFor, type OpinionSource, type Question } from './question.ts';
import { looksLike, type SeenDevice } from './seen-device.ts';
import {
  answersInForce,
  forbidsInForce,
  namesAlias,
  type Answer,
  type Forbid,
  type Moment,
  type StandingDecisions,
} from './standing-decisions.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';

/** Who says it. */
export const ADMINISTRATOR = 'administrator';

/** Where the administrators' decisions come from, and what is needed to tell which of them count. */
export interface StandingSources {
  readonly decisions: () => StandingDecisions;
  readonly moment: () => Moment;
  /** A device as it is now, to compare it with what was seen when its hold was answered. */
  readonly see: (devpath: Devpath) => SeenDevice | undefined;
}

/**
 * The standing decisions as opinions. A forbidden module is denied as target, dependency and softdep alike, whoever asks; a forbidden
 * alias denies what it names when something matching it asks. Answers to holds count for the device they were given about.
 */
export function standingOpinions({ decisions, moment, see }: StandingSources): OpinionSource {
  return {
    name: ADMINISTRATOR,
    opinionsOn(question) {
      const { forbids } = decisions();
      if (forbids.length === 0) return [];
      return forbidsInForce(decisions(), moment()).flatMap(forbid =>
        stops(forbid, question) ? [denial(forbid, question)] : [],
      );
    },
    answersTo({ module, role, asker }) {
      const { answers } = decisions();
      if (asker.kind !== 'device' || answers.length === 0) return [];
      const now = see(asker.device.devpath);
      if (now === undefined) return [];
      // What is held may be a dependency; what is denied is the device's own wish, and needs saying once.
      const counting = answersInForce(decisions(), moment()).filter(
        answer => isAbout(answer, now) && (answer.verdict === 'allow' || role === 'target'),
      );
      return counting.map(({ verdict, scope, uid, place }) => ({
        verdict,
        module,
        by: ADMINISTRATOR,
        reason: `${verdict === 'allow' ? 'approved' : 'denied'} ${SCOPE_WORDS[scope]} by user ${uid}`,
        ...(place === undefined ? {} : { place }),
      }));
    },
  };
}

const SCOPE_WORDS = {
  'until-unplug': 'until it is unplugged',
  'this-port': 'in this port',
  always: 'for good',
} as const satisfies Record<Answer['scope'], string>;

/** Whether a forbid stops the module this question is about. */
export function stops({ subject }: Forbid, { module, role, asker }: Question): boolean {
  if (subject.kind === 'module' && subject.module === module) return true;
  const asked = role === 'target' ? askedFor(asker) : undefined;
  return asked !== undefined && namesAlias(subject, asked);
}

function denial({ subject, reason, uid, untilMs, trial, place }: Forbid, { module }: Question): Opinion {
  const until = trial?.untilMs ?? untilMs;
  const what = subject.kind === 'module' ? '' : `what ${subject.pattern} names is `;
  const words = [
    `${what}forbidden by user ${uid}`,
    ...(until === undefined ? [] : [` until ${new Date(until).toISOString()}`]),
    ...(reason === '' ? [] : [`: ${reason}`]),
  ];
  return {
    verdict: 'deny',
    module,
    by: ADMINISTRATOR,
    reason: words.join(''),
    ...(place === undefined ? {} : { place }),
  };
}

function isAbout({ scope, seen }: Answer, now: SeenDevice): boolean {
  // A USB device that was judged as a whole has no modalias; its interfaces show the same descriptors.
  if (seen.modalias === undefined && seen.descriptors !== undefined && now.modalias !== undefined)
    return seen.descriptors === now.descriptors && (scope === 'always' || now.devpath.startsWith(`${seen.devpath}/`));
  if (!looksLike(seen, now)) return false;
  if (scope === 'always') return true;
  if (seen.devpath !== now.devpath) return false;
  return scope === 'this-port' || (seen.inode === now.inode && seen.diskseq === now.diskseq);
}
