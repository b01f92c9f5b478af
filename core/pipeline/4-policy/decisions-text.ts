import {
  subjectText,
  type Answer,
  type Forbid,
  type Signature,
  type StandingDecisions,
  type Trial,
} from './standing-decisions.ts';

const HEAD = `# Standing decisions of the administrators of this machine: usher forbid, permit, approve and deny write them, each with who and when.
# A change by hand is taken over, too; what cannot be used is left out and said. Times are UTC.
version = 1
`;

/** Decisions → the text of decisions.toml. What parseDecisions makes of it is the same again. */
export function formatDecisions({ forbids, answers }: StandingDecisions): string {
  return [HEAD, ...forbids.map(forbidText), ...answers.map(answerText)].join('\n');
}

function forbidText(forbid: Forbid): string {
  const { subject, reason, untilMs, trial, liftedFor } = forbid;
  return table('forbid', [
    [subject.kind, text(subjectText(subject))],
    ['reason', text(reason)],
    ['until', untilMs === undefined ? undefined : time(untilMs)],
    ['trial', trial === undefined ? undefined : trialText(trial)],
    ['lifted', liftedFor === undefined ? undefined : trialText(liftedFor)],
    ...signature(forbid),
  ]);
}

function answerText(answer: Answer): string {
  const { verdict, scope, seen, bootId } = answer;
  return table('answer', [
    ['verdict', text(verdict)],
    ['scope', text(scope)],
    ['devpath', text(seen.devpath)],
    ['modalias', seen.modalias === undefined ? undefined : text(seen.modalias)],
    ['descriptors', seen.descriptors === undefined ? undefined : text(seen.descriptors)],
    ['diskseq', seen.diskseq === undefined ? undefined : text(seen.diskseq)],
    ['inode', seen.inode === undefined ? undefined : text(seen.inode)],
    ['boot', text(bootId)],
    ...signature(answer),
  ]);
}

type Line = readonly [key: string, value: string | undefined];

function signature({ uid, atMs }: Signature): readonly Line[] {
  return [
    ['by', String(uid)],
    ['at', time(atMs)],
  ];
}

function table(name: string, lines: readonly Line[]): string {
  const written = lines.flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value}\n`]));
  return `[[${name}]]\n${written.join('')}`;
}

function trialText({ untilMs, bootId }: Trial): string {
  return `{ until = ${time(untilMs)}, boot = ${text(bootId)} }`;
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** A TOML basic string: JSON's, but for DEL, which it must escape, and half characters, which it cannot hold. */
function text(value: string): string {
  return JSON.stringify(value.toWellFormed()).replaceAll('\u007f', String.raw`\u007f`);
}
