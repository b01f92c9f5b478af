import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import type { Device } from '../pipeline/2-device/device.ts';
import type { Question } from '../pipeline/4-policy/question.ts';
import type { Outcome } from '../pipeline/6-load/outcome.ts';
import type { Handled } from '../pipeline/8-report/handled.ts';
import type { PluginDevice, PluginEvent } from '../plugin-api/device.ts';
import type { Fact, PluginHandled, PluginQuestion } from '../plugin-api/hooks.ts';
import type { FactReader } from './fact-reader.ts';

/** A uevent as plugins see it: plain values that JSON can carry. */
export function viewEvent({ action, devpath, subsystem, seqnum, env, origin, receivedAtMs }: Uevent): PluginEvent {
  return {
    action,
    devpath,
    subsystem,
    env,
    origin: origin.kind,
    receivedAtMs,
    ...(seqnum === undefined ? {} : { seqnum: seqnum.toString() }),
  };
}

/** A device as plugins see it, with the facts that are wanted of it. */
export function viewDevice(device: Device, wants: readonly Fact[], facts: FactReader): PluginDevice {
  if (wants.length === 0) return device;
  const usb = wants.includes('usb') ? facts.usbOf(device) : undefined;
  const names = wants.flatMap(fact => (fact.startsWith('attr:') ? [fact.slice('attr:'.length)] : []));
  return {
    ...device,
    ...(usb === undefined ? {} : { usb }),
    ...(names.length === 0 ? {} : { attributes: facts.attributesOf(device, names) }),
  };
}

/** A question as plugins see it. */
export function viewQuestion(
  { module, role, asker, candidate }: Question,
  wants: readonly Fact[],
  facts: FactReader,
): PluginQuestion {
  const traits = wants.includes('traits') ? facts.traitsOf(module) : undefined;
  return {
    module,
    role,
    asker:
      asker.kind === 'device'
        ? {
            kind: 'device',
            device: viewDevice(asker.device, wants, facts),
            ...(asker.event === undefined ? {} : { event: viewEvent(asker.event) }),
          }
        : asker,
    candidate: { module: candidate.module, pattern: candidate.match.pattern },
    ...(traits === undefined ? {} : { traits }),
  };
}

/** What an event led to as plugins see it. */
export function viewHandled(
  { event, device, candidates, decisions, outcomes }: Handled,
  wants: readonly Fact[],
  facts: FactReader,
): PluginHandled {
  return {
    event: viewEvent(event),
    device: viewDevice(device, wants, facts),
    candidates: candidates.map(({ module }) => module),
    decisions: decisions.map(({ module, verdict, winner }) => ({
      module,
      verdict,
      ...(winner === undefined ? {} : { by: winner.by, reason: winner.reason }),
    })),
    outcomes: outcomes.map(outcome => {
      const why = whyOf(outcome);
      return { module: outcome.module, kind: outcome.kind, ...(why === undefined ? {} : { why }) };
    }),
  };
}

function whyOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'refused') return `${outcome.errno}: ${outcome.meaning}`;
  return outcome.kind === 'failed' || outcome.kind === 'skipped' ? outcome.reason : undefined;
}
