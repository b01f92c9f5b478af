import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Opinion } from '../4-policy/opinion.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { Deliberation } from './deliberation.ts';
import type { Incident } from './incident.ts';
import type { Row } from './row-queue.ts';
import type { SerialHider } from './serial-hider.ts';

/**
 * A row → the same with keyed hashes in the place of serial numbers and hardware addresses. What a held device showed of itself stays as it
 * is: it is compared with the device later, and has no serial number in it (seen-device.ts).
 */
export function hideRow(row: Row, hider: SerialHider): Row {
  switch (row.kind) {
    case 'uevent':
      return { ...row, event: hideEvent(row.event, hider) };
    case 'decision':
      return { ...row, deliberation: hideDeliberation(row.deliberation, hider) };
    case 'ending':
      return { ...row, outcomes: row.outcomes.map(outcome => hideOutcome(outcome, hider)) };
    case 'bind':
      return { ...row, devpath: hidePath(row.devpath, hider) };
    case 'incident':
      return { ...row, incident: hideTexts(row.incident, hider) as Incident };
    case 'request': {
      const { devpath } = row.request;
      return devpath === undefined ? row : { ...row, request: { ...row.request, devpath: hidePath(devpath, hider) } };
    }
    case 'pending':
      return { ...row, item: { ...row.item, reasons: row.item.reasons.map(reason => hider.prose(reason)) } };
    default:
      return row;
  }
}

function hidePath(devpath: Devpath, hider: SerialHider): Devpath {
  return hider.text(devpath) as Devpath;
}

function hideEvent(event: Uevent, hider: SerialHider): Uevent {
  return { ...event, devpath: hidePath(event.devpath, hider), env: hider.env(event.env) };
}

function hideDeliberation(deliberation: Deliberation, hider: SerialHider): Deliberation {
  const { device, decisions } = deliberation;
  const heard = (opinion: Opinion): Opinion => ({ ...opinion, reason: hider.prose(opinion.reason) });
  return {
    ...deliberation,
    device: { ...device, devpath: hidePath(device.devpath, hider) },
    decisions: decisions.map(decision => {
      const opinions = decision.opinions.map(heard);
      const { winner } = decision;
      if (winner === undefined) return { ...decision, opinions };
      // The winner is one of those that were heard, and is written as its place among them.
      return { ...decision, opinions, winner: opinions[decision.opinions.indexOf(winner)] ?? heard(winner) };
    }),
  };
}

function hideOutcome(outcome: Outcome, hider: SerialHider): Outcome {
  return 'reason' in outcome ? { ...outcome, reason: hider.prose(outcome.reason) } : outcome;
}

/** Every text of a value, however deep; names of fields stay. */
function hideTexts(value: unknown, hider: SerialHider): unknown {
  if (typeof value === 'string') return hider.prose(value);
  if (Array.isArray(value)) return value.map(item => hideTexts(item, hider));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hideTexts(inner, hider)]));
}
