import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import {
  answersInForce,
  forbidsInForce,
  isTrialOver,
  subjectText,
  type Answer,
  type Forbid,
  type Moment,
  type Signature,
  type StandingDecisions,
  type Subject,
  type Trial,
} from './standing-decisions.ts';

/** One change of the standing decisions: what a verb asks for. */
export type DecisionChange =
  | {
      readonly kind: 'forbid';
      readonly subject: Subject;
      readonly reason: string;
      readonly untilMs?: number;
      readonly trial?: Trial;
    }
  /** Takes a forbid back; with a trial only for its time. */
  | { readonly kind: 'permit'; readonly subject: Subject; readonly trial?: Trial }
  /** What is on trial is so for good. */
  | { readonly kind: 'confirm' }
  | { readonly kind: 'answer'; readonly answer: Omit<Answer, keyof Signature | 'place'> }
  /** A device went: answers that counted until then are over. */
  | { readonly kind: 'unplugged'; readonly devpath: Devpath }
  /** Deadlines that have passed are carried out. */
  | { readonly kind: 'expire' };

/**
 * Decisions and a change → the decisions after it. The very same value comes back when there was nothing to change. What is over by
 * its deadline is cleared away with every change.
 */
export function changeDecisions(
  before: StandingDecisions,
  change: DecisionChange,
  { uid, ...moment }: Moment & { readonly uid: number },
): StandingDecisions {
  const decisions = cleared(before, moment);
  const signature = { uid, atMs: moment.nowMs };
  switch (change.kind) {
    case 'forbid': {
      const { kind: _kind, ...forbid } = change;
      const others = decisions.forbids.filter(({ subject }) => !sameSubject(subject, change.subject));
      const replaced = decisions.forbids.find(({ subject }) => sameSubject(subject, change.subject));
      // A trial must not weaken what is there for good.
      if (forbid.trial !== undefined && replaced !== undefined) return decisions;
      return { ...decisions, forbids: [...others, { ...forbid, ...signature }] };
    }
    case 'permit':
      return permitted(decisions, change);
    case 'confirm':
      return confirmed(decisions);
    case 'answer': {
      const others = decisions.answers.filter(({ seen }) => seen.devpath !== change.answer.seen.devpath);
      return { ...decisions, answers: [...others, { ...change.answer, ...signature }] };
    }
    case 'unplugged': {
      const answers = decisions.answers.filter(
        ({ scope, seen }) => scope !== 'until-unplug' || seen.devpath !== change.devpath,
      );
      return answers.length === decisions.answers.length ? decisions : { ...decisions, answers };
    }
    case 'expire':
      return decisions;
    default:
      return assertNever(change);
  }
}

function isForbidden({ forbids }: StandingDecisions, subject: Subject): boolean {
  return forbids.some(forbid => sameSubject(forbid.subject, subject));
}

/** A change as a sentence for the ledger and for people. */
export function changeText(change: DecisionChange): string {
  switch (change.kind) {
    case 'forbid':
      return `forbid ${subjectText(change.subject)}${change.trial === undefined ? '' : ' on trial'}`;
    case 'permit':
      return `permit ${subjectText(change.subject)}${change.trial === undefined ? '' : ' on trial'}`;
    case 'confirm':
      return 'confirm what was on trial';
    case 'answer':
      return `${change.answer.verdict} ${change.answer.seen.devpath}, ${change.answer.scope}`;
    case 'unplugged':
      return `${change.devpath} was unplugged`;
    case 'expire':
      return 'a deadline has passed';
    default:
      return assertNever(change);
  }
}

function permitted(
  decisions: StandingDecisions,
  { subject, trial }: Extract<DecisionChange, { kind: 'permit' }>,
): StandingDecisions {
  if (!isForbidden(decisions, subject)) return decisions;
  const forbids =
    trial === undefined
      ? decisions.forbids.filter(forbid => !sameSubject(forbid.subject, subject))
      : decisions.forbids.map(forbid =>
          sameSubject(forbid.subject, subject) ? { ...forbid, liftedFor: trial } : forbid,
        );
  return { ...decisions, forbids };
}

function confirmed(decisions: StandingDecisions): StandingDecisions {
  if (!decisions.forbids.some(({ trial, liftedFor }) => trial !== undefined || liftedFor !== undefined))
    return decisions;
  const forbids = decisions.forbids
    .filter(({ liftedFor }) => liftedFor === undefined)
    .map(({ trial: _trial, ...forbid }): Forbid => forbid);
  return { ...decisions, forbids };
}

/** Without what is over by itself; a forbid that was lifted on trial counts again. */
function cleared(decisions: StandingDecisions, moment: Moment): StandingDecisions {
  const inForce = new Set(forbidsInForce(decisions, moment));
  let isChanged = false;
  const forbids = decisions.forbids.flatMap((forbid): readonly Forbid[] => {
    const { liftedFor, ...plain } = forbid;
    if (liftedFor !== undefined && isTrialOver(liftedFor, forbid.atMs, moment)) {
      isChanged = true;
      return [plain];
    }
    return inForce.has(forbid) || liftedFor !== undefined ? [forbid] : [];
  });
  const answers = answersInForce(decisions, moment);
  isChanged ||= forbids.length !== decisions.forbids.length || answers.length !== decisions.answers.length;
  return isChanged ? { forbids, answers } : decisions;
}

function sameSubject(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && subjectText(a) === subjectText(b);
}
