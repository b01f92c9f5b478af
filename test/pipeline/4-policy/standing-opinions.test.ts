import test from 'ava';
import { changeDecisions } from '../../../core/pipeline/4-policy/decision-change.ts';
import { decide } from '../../../core/pipeline/4-policy/decide.ts';
import { holdList } from '../../../core/pipeline/4-policy/hold-list.ts';
import { DEFAULT_POLICY } from '../../../core/pipeline/4-policy/policy-settings.ts';
import type { Asker, Question } from '../../../core/pipeline/4-policy/question.ts';
import type { SeenDevice } from '../../../core/pipeline/4-policy/seen-device.ts';
import {
  NO_DECISIONS,
  subjectOf,
  type Answer,
  type AnswerScope,
  type StandingDecisions,
} from '../../../core/pipeline/4-policy/standing-decisions.ts';
import { standingOpinions } from '../../../core/pipeline/4-policy/standing-opinions.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { modalias } from '../../../core/vocabulary/modalias.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';

const PORT = '/devices/usb1/1-1/1-1:1.0' as Devpath;
const OTHER_PORT = '/devices/usb1/1-2/1-2:1.0' as Devpath;
const STICK: SeenDevice = { devpath: PORT, modalias: 'usb:v0781ic08', descriptors: 'aa', inode: '7' };
const module = moduleName('usb_storage');

/** The verdict on what is there now, held unless answered, with these decisions. */
async function verdictOn(decisions: StandingDecisions, now: SeenDevice, bootId = 'first'): Promise<string> {
  const device = { devpath: now.devpath, subsystem: 'usb', modalias: modalias(now.modalias ?? '') };
  const sources = [
    standingOpinions({ decisions: () => decisions, moment: () => ({ nowMs: 2, bootId }), see: () => now }),
    holdList(() => ({ ...DEFAULT_POLICY, hold: ['usb:*ic08*'] })),
  ];
  return (await decide(question({ kind: 'device', device }), sources)).verdict;
}

function question(asker: Asker, role: Question['role'] = 'target'): Question {
  const match = { module, source: 'modules.alias', pattern: 'usb:*', place: { file: 'modules.alias' } } as const;
  return { module, role, candidate: { module, match }, asker };
}

function answered(scope: Exclude<AnswerScope, 'once'>, verdict: Answer['verdict'] = 'allow'): StandingDecisions {
  const answer = { verdict, scope, seen: STICK, bootId: 'first' };
  return changeDecisions(NO_DECISIONS, { kind: 'answer', answer }, { nowMs: 1, bootId: 'first', uid: 0 });
}

test('an answer counts for as long as it was given, and for nothing that looks otherwise', async t => {
  const again = { ...STICK, inode: '8' };
  const elsewhere = { ...again, devpath: OTHER_PORT };
  const impostor = { ...STICK, descriptors: 'bb' };
  const verdicts: Record<string, readonly string[]> = {};
  for (const scope of ['until-unplug', 'this-port', 'always'] as const) {
    const decisions = answered(scope);
    const found = [];
    for (const now of [STICK, again, elsewhere, impostor]) found.push(await verdictOn(decisions, now));
    verdicts[scope] = [...found, await verdictOn(decisions, STICK, 'second')];
  }
  t.deepEqual(verdicts, {
    'until-unplug': ['allow', 'hold', 'hold', 'hold', 'hold'],
    'this-port': ['allow', 'allow', 'hold', 'hold', 'allow'],
    always: ['allow', 'allow', 'allow', 'hold', 'allow'],
  });
});

test('an answer of deny is a deny, and the last answer about a device is the one that counts', async t => {
  t.is(await verdictOn(answered('always', 'deny'), STICK), 'deny');
  const changed = changeDecisions(
    answered('always', 'deny'),
    { kind: 'answer', answer: { verdict: 'allow', scope: 'this-port', seen: STICK, bootId: 'first' } },
    { nowMs: 2, bootId: 'first', uid: 0 },
  );
  t.is(changed.answers.length, 1);
  t.is(await verdictOn(changed, STICK), 'allow');
});

test('unplugging ends what counted until then, and nothing else', t => {
  const moment = { nowMs: 3, bootId: 'first', uid: 0 };
  const unplug = { kind: 'unplugged', devpath: PORT } as const;
  t.deepEqual(changeDecisions(answered('until-unplug'), unplug, moment).answers, []);
  for (const scope of ['this-port', 'always'] as const) {
    const decisions = answered(scope);
    t.is(changeDecisions(decisions, unplug, moment), decisions);
  }
  const other = answered('until-unplug');
  t.is(changeDecisions(other, { kind: 'unplugged', devpath: OTHER_PORT }, moment), other);
});

test('a forbidden module is denied in every role and to everybody, a forbidden alias to who asks by it', async t => {
  const device = { devpath: PORT, subsystem: 'usb', modalias: modalias('usb:v0781ic08') };
  const askers: readonly Asker[] = [
    { kind: 'device', device },
    { kind: 'kernel', alias: 'usb_storage' },
    { kind: 'administrator', name: 'usb_storage', uid: 0 },
  ];
  const verdicts = async (text: string, role: Question['role']): Promise<readonly string[]> => {
    const subject = subjectOf(text);
    if (subject === undefined) throw new Error(`${text} is no subject`);
    const decisions = changeDecisions(
      NO_DECISIONS,
      { kind: 'forbid', subject, reason: 'r' },
      { nowMs: 1, bootId: 'first', uid: 0 },
    );
    const source = standingOpinions({
      decisions: () => decisions,
      moment: () => ({ nowMs: 2, bootId: 'first' }),
      see: () => undefined,
    });
    return Promise.all(askers.map(async asker => (await decide(question(asker, role), [source])).verdict));
  };
  for (const role of ['target', 'dependency', 'softdep'] as const)
    t.deepEqual(await verdicts('usb-storage', role), ['deny', 'deny', 'deny']);
  t.deepEqual(await verdicts('usb:v0781*', 'target'), ['deny', 'abstain', 'abstain']);
  t.deepEqual(await verdicts('usb:v0781*', 'dependency'), ['abstain', 'abstain', 'abstain']);
});
