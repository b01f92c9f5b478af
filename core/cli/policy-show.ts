import { existsSync } from 'node:fs';
import path from 'node:path';
import type { SystemRoot } from '../kernel/system-root.ts';
import { History } from '../pipeline/7-ledger/history.ts';
import { formatCount, formatTime } from '../pipeline/8-report/quantity.ts';
import { readPolicy } from '../daemon/policy-in-force.ts';
import { decisionsFile } from '../pipeline/4-policy/decisions-place.ts';
import {
  answersInForce,
  forbidsInForce,
  subjectText,
  type Answer,
  type Forbid,
} from '../pipeline/4-policy/standing-decisions.ts';
import { formatProblem } from '../vocabulary/place.ts';
import { printJson, printLines } from './output.ts';
import type { Caller } from './verb.ts';

/** usher policy show: what counts now, and what of the files could not be used → exit status. */
export function showPolicy(caller: Caller): number {
  const policy = readPolicy(caller.roots);
  const [decisions, moment, settings] = [policy.decisions(), policy.moment(), policy.settings()];
  for (const problem of policy.problems) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  const counting = new Set(forbidsInForce(decisions, moment));
  const answers = answersInForce(decisions, moment);
  const overrides = countOverrides(caller.roots);
  if (caller.isJson) {
    const forbids = decisions.forbids.map(forbid => ({ ...forbid, counts: counting.has(forbid) }));
    printJson(caller, { file: decisionsFile(caller.roots), settings, forbids, answers, overrides });
    return 0;
  }
  const list = (items: readonly string[]): string => (items.length === 0 ? 'nothing' : items.join(' '));
  printLines(caller, [
    `default         ${settings.default}`,
    `allow_requests  ${list(settings.allowRequests)}`,
    `hold            ${list(settings.hold)}`,
    `decisions       ${decisionsFile(caller.roots)}`,
    ...decisions.forbids.map(forbid => forbidLine(forbid, counting.has(forbid))),
    ...answers.map(answerLine),
    ...(decisions.forbids.length + answers.length === 0 ? ['  nothing is decided'] : []),
    ...(overrides === 0
      ? []
      : [`passed over     ${formatCount(overrides, 'time')}; usher history --incidents has who and why`]),
  ]);
  return 0;
}

/** How often root passed over the policy, as the ledger has it; none where there is no ledger that can be read. */
function countOverrides({ stateDir }: SystemRoot): number {
  const file = path.join(stateDir, 'ledger.sqlite');
  if (!existsSync(file)) return 0;
  const history = History.open(file);
  try {
    return history.incidents({ kind: 'policy-overridden' }).length;
  } finally {
    history.close();
  }
}

function forbidLine({ subject, reason, uid, atMs, untilMs, trial, liftedFor }: Forbid, counts: boolean): string {
  const until = trial?.untilMs ?? untilMs;
  return [
    `  ${counts ? 'forbid' : 'forbid (does not count now)'} ${subjectText(subject)}`,
    ...(reason === '' ? [] : [`: ${reason}`]),
    `; by user ${uid}, ${formatTime(atMs)}`,
    ...(until === undefined ? [] : [`, ${trial === undefined ? 'until' : 'on trial until'} ${formatTime(until)}`]),
    ...(liftedFor === undefined ? [] : [`, lifted on trial until ${formatTime(liftedFor.untilMs)}`]),
  ].join('');
}

function answerLine({ verdict, scope, seen, uid, atMs }: Answer): string {
  return `  ${verdict} ${seen.modalias ?? 'what is'} at ${seen.devpath}, ${scope}; by user ${uid}, ${formatTime(atMs)}`;
}
