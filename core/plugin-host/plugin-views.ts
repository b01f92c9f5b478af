import { heldBackTooLong } from '../kernel/held-back.ts';
import type { Uevent } from '../pipeline/1-intake/uevent.ts';
import type { Device } from '../pipeline/2-device/device.ts';
import type { Question } from '../pipeline/4-policy/question.ts';
import type { Outcome } from '../pipeline/6-load/outcome.ts';
import type { Handled } from '../pipeline/8-report/handled.ts';
import type { PluginDevice, PluginEvent } from '../plugin-api/device.ts';
import type { Fact, PluginHandled, PluginQuestion } from '../plugin-api/hooks.ts';
import { whenThere } from '../vocabulary/when-there.ts';
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

/** A device as plugins see it, with the facts that are wanted of it; a promise where sysfs has to be read for that. */
export function viewDevice(
  device: Device,
  wants: readonly Fact[],
  facts: FactReader,
): PluginDevice | Promise<PluginDevice> {
  return wantsSysfs(wants) ? viewDevices([device], wants, facts).then(([view]) => view ?? device) : device;
}

export async function viewDevices(
  devices: readonly Device[],
  wants: readonly Fact[],
  facts: FactReader,
): Promise<readonly PluginDevice[]> {
  if (!wantsSysfs(wants)) return devices;
  const known = await facts.factsOf(devices, wants);
  return devices.map((device, n) => ({ ...device, ...known[n] }));
}

function wantsSysfs(wants: readonly Fact[]): boolean {
  return wants.some(fact => fact !== 'traits');
}

/** A question as plugins see it. */
export function viewQuestion(
  { module, role, asker, candidate }: Question,
  wants: readonly Fact[],
  facts: FactReader,
): PluginQuestion | Promise<PluginQuestion> {
  const traits = wants.includes('traits') ? facts.traitsOf(module) : undefined;
  const view = (known: PluginQuestion['asker']): PluginQuestion => ({
    module,
    role,
    asker: known,
    candidate: { module: candidate.module, pattern: candidate.match.pattern },
    ...(traits === undefined ? {} : { traits }),
  });
  if (asker.kind !== 'device') return view(asker);
  return whenThere(viewDevice(asker.device, wants, facts), device =>
    view({ kind: 'device', device, ...(asker.event === undefined ? {} : { event: viewEvent(asker.event) }) }),
  );
}

/**
 * What an event led to as plugins see it. Others wait for it to be told, so that what a driver holds back for too long is left out.
 */
export function viewHandled(
  { event, device, candidates, decisions, outcomes }: Handled,
  wants: readonly Fact[],
  facts: FactReader,
): PluginHandled | Promise<PluginHandled> {
  const seen = viewDevice(device, wants, facts);
  const known = seen instanceof Promise ? Promise.race([seen, heldBackTooLong().then(() => device)]) : seen;
  return whenThere(known, view => ({
    event: viewEvent(event),
    device: view,
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
  }));
}

function whyOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'refused') return `${outcome.errno}: ${outcome.meaning}`;
  return outcome.kind === 'failed' || outcome.kind === 'skipped' ? outcome.reason : undefined;
}
