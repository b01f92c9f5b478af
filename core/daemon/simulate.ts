import { existsSync } from 'node:fs';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { Decision } from '../pipeline/4-policy/opinion.ts';
import type { Asker } from '../pipeline/4-policy/question.ts';
import type { EntryId } from '../pipeline/7-ledger/entry-id.ts';
import type { History } from '../pipeline/7-ledger/history.ts';
import { deliberate, type Mind } from '../pipeline/pipeline.ts';
import { differencesOf, type DecisionDifference } from './decision-difference.ts';

/** One recorded wish for modules, and how another policy would have answered it. */
export interface Simulated {
  readonly entry: EntryId;
  readonly atMs: number;
  /** The device, or what the kernel or an administrator asked for. */
  readonly asked: string;
  /** The device is not here any more: of it only the event is known, not its attributes nor its descriptors. */
  readonly isGone: boolean;
  readonly differences: readonly DecisionDifference[];
}

/** Which part of the record. */
export interface Span {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Goes through what was decided in that time, and has another mind decide it again: devices by their events, then what the kernel and
 * administrators asked for; each in the order it came. USB devices that were judged as a whole are left out: their interfaces have events of their own.
 */
export async function* simulate(
  history: History,
  { sinceMs, untilMs }: Span,
  mind: Mind,
  { sys }: Pick<SystemRoot, 'sys'>,
): AsyncGenerator<Simulated> {
  // What was loaded at that time is not known; as though nothing were, every module of a plan is asked about.
  const fresh: Mind = { ...mind, stateOf: () => undefined };
  for (const { id, event, deliberation } of history.query({ sinceMs, untilMs, action: 'add', order: 'oldest-first' })) {
    if (deliberation?.device.modalias === undefined) continue;
    const { device, decisions } = deliberation;
    const asker: Asker = { kind: 'device', device, event };
    const differences = await judgeAgain(asker, decisions, fresh);
    const isGone = !existsSync(`${sys}${device.devpath}`);
    yield { entry: id, atMs: event.receivedAtMs, asked: device.devpath, isGone, differences };
  }
  for (const { id, atMs, asker, asked, uid, deliberation } of history.requests({ sinceMs, untilMs }).toReversed()) {
    if (deliberation === undefined || asker === 'approval') continue;
    const by: Asker =
      asker === 'kernel' ? { kind: 'kernel', alias: asked } : { kind: 'administrator', name: asked, uid };
    const differences = await judgeAgain(by, deliberation.decisions, fresh);
    yield { entry: id, atMs, asked, isGone: false, differences };
  }
}

/** What another mind makes of a wish, beside what was decided. */
export async function judgeAgain(
  asker: Asker,
  decisions: readonly Decision[],
  mind: Mind,
): Promise<readonly DecisionDifference[]> {
  return differencesOf(decisions, (await deliberate(asker, mind)).decisions);
}
