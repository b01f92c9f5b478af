import { UsherdError } from '../errors.ts';
import { deviceOf } from '../pipeline/2-device/read-device.ts';
import { readDevice, readDriver } from '../kernel/sysfs.ts';
import type { PendingItem } from '../pipeline/4-policy/pending-queue.ts';
import type { OpinionSource } from '../pipeline/4-policy/question.ts';
import { differences } from '../pipeline/4-policy/seen-device.ts';
import type { AnswerScope } from '../pipeline/4-policy/standing-decisions.ts';
import { ADMINISTRATOR } from '../pipeline/4-policy/standing-opinions.ts';
import { letIn } from '../pipeline/6-load/usb-gate.ts';
import { resultOf } from '../pipeline/7-ledger/deliberation.ts';
import { handleRequest } from '../pipeline/pipeline.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import { errnoText } from '../vocabulary/errno.ts';
import type { Daemon } from './daemon.ts';

/** An administrator's answer to a device that waits. */
export interface HoldAnswer {
  readonly id: number;
  readonly verdict: 'allow' | 'deny';
  readonly scope: AnswerScope;
  readonly uid: number;
}

/**
 * Answers the question a device waits for. What is there must be what was seen; an answer for longer than once is written down first;
 * then the plan is made again, carried out, and the bus asked to try its drivers, so that the device has its driver when this is done.
 * @throws {UsherdError} NOT_FOUND, DEVICE_CHANGED, and what changing the decisions throws
 */
export async function answerHold(daemon: Daemon, answer: HoldAnswer): Promise<JsonObject> {
  const { policy } = daemon;
  const item = policy.pending.byId(answer.id);
  if (item === undefined)
    throw new UsherdError('NOT_FOUND', `no device waits under the number ${answer.id}`, { id: answer.id });
  refuseChanged(daemon, item, answer.uid);
  const { verdict, uid } = answer;
  const scope = scopeFor(item, answer);
  if (scope !== 'once') {
    const { bootId } = policy.moment();
    policy.change({ change: { kind: 'answer', answer: { verdict, scope, seen: item.seen, bootId } }, uid });
  }
  if (verdict === 'deny') {
    policy.settle(item, 'denied', uid);
    return { id: item.id, devpath: item.seen.devpath, verdict, scope };
  }
  return approve(daemon, item, { ...answer, scope });
}

async function approve(daemon: Daemon, item: PendingItem, { scope, uid }: HoldAnswer): Promise<JsonObject> {
  const { options, parts, policy } = daemon;
  const { devpath, modalias = '' } = item.seen;
  const found = await readDevice(options.roots, devpath);
  if (found === undefined) throw new UsherdError('DEVICE_CHANGED', `${devpath} is gone`);
  const device = deviceOf(found);
  const opinions = scope === 'once' ? [...parts.opinions, approvedOnce(uid)] : parts.opinions;
  const facts = { asker: 'approval', asked: modalias, uid, devpath } as const;
  const answered = await handleRequest({ kind: 'device', device }, facts, { ...parts, opinions });
  const { candidates, decisions, plans, outcomes } = answered;
  policy.settle(item, 'approved', uid);
  const probe = options.observes ? undefined : await letIn(options.roots, device);
  const driver = readDriver(options.roots, devpath);
  return {
    id: item.id,
    devpath,
    verdict: 'allow',
    scope,
    result: resultOf({ device, candidates, decisions, plans }, outcomes),
    outcomes: outcomes.map(outcome => ({ ...outcome })),
    ...(probe === undefined ? {} : { probe: errnoText(probe) }),
    ...(driver === undefined ? {} : { driver }),
  };
}

/** A USB device that was kept as a whole asks once more with each interface: letting it in once is letting them in, until it is gone. */
function scopeFor({ seen }: PendingItem, { verdict, scope }: HoldAnswer): AnswerScope {
  const isWhole = seen.modalias === undefined && seen.descriptors !== undefined;
  return isWhole && verdict === 'allow' && scope === 'once' ? 'until-unplug' : scope;
}

/** Between the question and the answer another device may have come in the same place. */
function refuseChanged({ policy }: Daemon, item: PendingItem, uid: number): void {
  const changed = differences(item.seen, policy.see(item.seen.devpath));
  if (changed.length === 0) return;
  policy.settle(item, 'changed', uid);
  throw new UsherdError('DEVICE_CHANGED', `${item.seen.devpath}: ${changed.join(', ')}`, { id: item.id });
}

function approvedOnce(uid: number): OpinionSource {
  return {
    name: ADMINISTRATOR,
    opinionsOn: () => [],
    answersTo: ({ module }) => [
      { verdict: 'allow', module, by: ADMINISTRATOR, reason: `approved once by user ${uid}` },
    ],
  };
}
