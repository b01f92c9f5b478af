import { UsherdError } from '../errors.ts';
import { changeDecisions, changeText, type DecisionChange } from '../pipeline/4-policy/decision-change.ts';
import { hashOfDecisions, readDecisions, writeDecisions } from '../pipeline/4-policy/decisions-file.ts';
import type { Moment, StandingDecisions } from '../pipeline/4-policy/standing-decisions.ts';
import type { Ledger } from '../pipeline/7-ledger/ledger.ts';
import { decisionLines } from './decision-lines.ts';

/** Who asks for a change, and what stands against it and is to be done all the same. */
export interface ChangeRequest {
  readonly change: DecisionChange;
  readonly uid: number;
  /** What will be cut off, when that was forced. */
  readonly forced?: readonly string[];
}

/** What a change led to. */
export interface Changed {
  readonly decisions: StandingDecisions;
  readonly hash: string;
  /** False when there was nothing to change; then nothing was written. */
  readonly isChanged: boolean;
}

/**
 * Changes the standing decisions in one transaction: the change is on disk in the ledger, then the file is replaced. Who calls holds the
 * ledger, which has one writer, so that two changes cannot cross. A crash between the two leaves the old file, and a row whose hash is
 * not the file's.
 * @throws {UsherdError} DECISIONS_DAMAGED when the file as it is cannot be taken whole, FILE_UNREADABLE, FILE_UNWRITABLE
 */
export function changePolicy(
  file: string,
  { change, uid, forced = [] }: ChangeRequest,
  ledger: Ledger,
  moment: Moment,
): Changed {
  const before = readDecisions(file);
  if (!before.isWhole) {
    const [problem] = before.problems;
    const where = problem?.place.line === undefined ? file : `${file}:${problem.place.line}`;
    const message = `${where}: ${problem?.message ?? 'not TOML'}; changing it would lose what is written there`;
    throw new UsherdError('DECISIONS_DAMAGED', message, { file });
  }
  const decisions = changeDecisions(before.decisions, change, { ...moment, uid });
  if (decisions === before.decisions) return { decisions, hash: before.hash ?? '', isChanged: false };
  const text = changeText(change);
  const hash = hashOfDecisions(decisions);
  ledger.incident({
    kind: 'policy-changed',
    change: text,
    uid,
    ...(change.kind === 'forbid' && change.reason !== '' ? { reason: change.reason } : {}),
    ...(forced.length === 0 ? {} : { forced }),
    hash,
    ...(before.hash !== undefined && { before: before.hash }),
    decisions: decisionLines(decisions),
  });
  if (ledger.flush() === 'in-memory')
    throw new UsherdError('FILE_UNWRITABLE', `${ledger.path} takes no rows: without a record nothing is changed`, {
      file,
    });
  try {
    writeDecisions(file, decisions);
  } catch (error) {
    ledger.incident({ kind: 'policy-change-failed', change: text, cause: (error as Error).message });
    throw error;
  }
  return { decisions, hash, isChanged: true };
}
