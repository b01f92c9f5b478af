import { subjectText, type StandingDecisions } from '../pipeline/4-policy/standing-decisions.ts';

/** Decisions told in one row of the ledger; the file has the rest. */
const LINES_MAX = 200;

/** Standing decisions in words, one each, for the record. */
export function decisionLines({ forbids, answers }: StandingDecisions): readonly string[] {
  return [
    ...forbids.map(({ subject, reason, untilMs, trial, liftedFor }) => {
      const until = untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`;
      const word = liftedFor === undefined ? (trial === undefined ? '' : ' on trial') : ' lifted on trial';
      return `forbid ${subjectText(subject)}${until}${word}${reason === '' ? '' : `: ${reason}`}`;
    }),
    ...answers.map(({ verdict, seen, scope }) => `${verdict} ${seen.devpath}, ${scope}`),
  ].slice(0, LINES_MAX);
}

/** What is in one list and not in the other: `-LINE` and `+LINE`. */
export function lineChanges(before: readonly string[], after: readonly string[]): readonly string[] {
  const gone = before.filter(line => !after.includes(line)).map(line => `-${line}`);
  return [...gone, ...after.filter(line => !before.includes(line)).map(line => `+${line}`)];
}
