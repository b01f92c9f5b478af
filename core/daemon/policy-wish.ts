import { UsherdError } from '../errors.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import type { DecisionChange } from '../pipeline/4-policy/decision-change.ts';
import { subjectOf, type Moment } from '../pipeline/4-policy/standing-decisions.ts';

/** Longest a change may be tried: whoever has not seen in a week that it works will not. */
export const TRY_MAX_MINUTES = 7 * 24 * 60;

/** Longest reason kept; it stands in every refusal. */
const REASON_MAX_CHARACTERS = 500;

/**
 * What a verb asks for, as it is sent → the change, with a trial's end counted from now.
 * @throws {UsherdError} USAGE when it is none
 */
export function changeOf(wish: JsonObject, { nowMs, bootId }: Moment): DecisionChange {
  const { kind, subject: text, reason = '', untilMs, tryMinutes } = wish;
  if (kind === 'confirm') return { kind };
  if (kind !== 'forbid' && kind !== 'permit') throw refusal('kind', kind, 'forbid, permit or confirm');
  const subject = typeof text === 'string' ? subjectOf(text) : undefined;
  if (subject === undefined) throw refusal('subject', text, 'the name of a module, or a pattern of aliases');
  const isMinutes = typeof tryMinutes === 'number' && tryMinutes > 0 && tryMinutes <= TRY_MAX_MINUTES;
  if (tryMinutes !== undefined && !isMinutes) throw refusal('minutes', tryMinutes, `1 to ${TRY_MAX_MINUTES}`);
  const trial = isMinutes ? { trial: { untilMs: nowMs + tryMinutes * 60_000, bootId } } : {};
  if (kind === 'permit') return { kind, subject, ...trial };
  if (typeof reason !== 'string' || reason.length > REASON_MAX_CHARACTERS)
    throw refusal('reason', reason, `a text of at most ${REASON_MAX_CHARACTERS} characters`);
  if (untilMs !== undefined && !(typeof untilMs === 'number' && untilMs > nowMs && untilMs < UNTIL_MAX_MS))
    throw refusal('until', untilMs, 'a moment that is still to come');
  return { kind, subject, reason, ...(untilMs === undefined ? {} : { untilMs }), ...trial };
}

/** The year 9999 is the last TOML and ISO 8601 write with four digits. */
const UNTIL_MAX_MS = Date.UTC(9999, 11, 31);

function refusal(name: string, found: unknown, wanted: string): UsherdError {
  return new UsherdError('USAGE', `${name} is ${JSON.stringify(found ?? null)}, wanted ${wanted}`);
}
