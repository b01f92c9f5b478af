import { globMatches, hasWildcard } from '../../kmod/lookup/glob.ts';
import { normaliseAlias } from '../../kmod/lookup/normalise-alias.ts';
import type { Place } from '../../vocabulary/place.ts';
import { isPlausibleModuleName, moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import type { SeenDevice } from './seen-device.ts';

/** A change that goes back by itself: at a moment, and in any case with the boot it was made in. */
export interface Trial {
  readonly untilMs: number;
  readonly bootId: string;
}

/** Which modules: one by its name, or all that an alias names when something matching the pattern asks. */
export type Subject =
  | { readonly kind: 'module'; readonly module: ModuleName }
  | { readonly kind: 'alias'; readonly pattern: string };

/** Who decided, and when. */
export interface Signature {
  readonly uid: number;
  readonly atMs: number;
}

/** A module that must not be loaded, by anybody usherd or usher has a say over. */
export interface Forbid extends Signature {
  readonly subject: Subject;
  readonly reason: string;
  /** It counts until then; for good when absent. */
  readonly untilMs?: number;
  /** It counts only while the trial lasts: what a trial adds. */
  readonly trial?: Trial;
  /** It does not count while the trial lasts: what a trial takes away. */
  readonly liftedFor?: Trial;
  /** Where it stands written. */
  readonly place?: Place;
}

/** How long an answer to a hold counts; `once` is never written down. */
export const ANSWER_SCOPES = ['once', 'until-unplug', 'this-port', 'always'] as const;
export type AnswerScope = (typeof ANSWER_SCOPES)[number];

/** An administrator's answer to a hold, bound to what was seen when it was given. */
export interface Answer extends Signature {
  readonly verdict: 'allow' | 'deny';
  readonly scope: Exclude<AnswerScope, 'once'>;
  readonly seen: SeenDevice;
  /** The boot it was given in: `until-unplug` ends with it. */
  readonly bootId: string;
  readonly place?: Place;
}

/** All an administrator has decided for more than the moment: the content of decisions.toml. */
export interface StandingDecisions {
  readonly forbids: readonly Forbid[];
  readonly answers: readonly Answer[];
}

export const NO_DECISIONS: StandingDecisions = { forbids: [], answers: [] };

/** When, and in which boot, a question about what counts is asked. */
export interface Moment {
  readonly nowMs: number;
  readonly bootId: string;
}

/** A word of the command line → what it means: a plain name is a module, all else an alias pattern. Undefined when it is neither. */
export function subjectOf(text: string): Subject | undefined {
  if (isPlausibleModuleName(text)) return { kind: 'module', module: moduleName(text) };
  const pattern = normaliseAlias(text);
  // oxlint-disable-next-line no-control-regex -- control bytes are what is looked for
  const isText = text.length > 0 && text.length <= SUBJECT_MAX_CHARACTERS && !/[\u0000-\u0020\u007f]/.test(text);
  return pattern === undefined || !isText ? undefined : { kind: 'alias', pattern };
}

/** Longest pattern taken: twice the kernel's whole uevent buffer would not fit an alias any more (MODALIAS_MAX_BYTES). */
const SUBJECT_MAX_CHARACTERS = 2048;

export function subjectText(subject: Subject): string {
  return subject.kind === 'module' ? subject.module : subject.pattern;
}

/** Whether the subject names this alias; a plain name is also the alias of that text (`net-pf-21`). */
export function namesAlias(subject: Subject, alias: string): boolean {
  const asked = normaliseAlias(alias) ?? alias;
  const pattern = subjectText(subject);
  return hasWildcard(pattern) ? globMatches(pattern, asked) : pattern === asked;
}

/** A clock that runs back, a deadline that has passed or another boot ends a trial: when in doubt, what was before counts. */
export function isTrialOver({ untilMs, bootId }: Trial, startedAtMs: number, moment: Moment): boolean {
  return moment.nowMs >= untilMs || moment.nowMs < startedAtMs || moment.bootId !== bootId;
}

/** The forbids that count at this moment. */
export function forbidsInForce({ forbids }: StandingDecisions, moment: Moment): readonly Forbid[] {
  return forbids.filter(({ untilMs, trial, liftedFor, atMs }) => {
    if (untilMs !== undefined && moment.nowMs >= untilMs) return false;
    if (trial !== undefined && isTrialOver(trial, atMs, moment)) return false;
    return liftedFor === undefined || isTrialOver(liftedFor, atMs, moment);
  });
}

/** The answers that count at this moment. */
export function answersInForce({ answers }: StandingDecisions, { bootId }: Moment): readonly Answer[] {
  return answers.filter(answer => answer.scope !== 'until-unplug' || answer.bootId === bootId);
}

/** The earliest moment after `moment` at which something begins or ends to count by itself. */
export function nextDeadline({ forbids }: StandingDecisions, { nowMs }: Moment): number | undefined {
  const deadlines = forbids.flatMap(({ untilMs, trial, liftedFor }) =>
    [untilMs, trial?.untilMs, liftedFor?.untilMs].filter(at => at !== undefined),
  );
  const coming = deadlines.filter(at => at > nowMs);
  return coming.length === 0 ? undefined : Math.min(...coming);
}
