import test from 'ava';
import * as fc from 'fast-check';
import { changeDecisions, type DecisionChange } from '../../../core/pipeline/4-policy/decision-change.ts';
import {
  forbidsInForce,
  namesAlias,
  nextDeadline,
  NO_DECISIONS,
  subjectOf,
  subjectText,
  type Moment,
  type StandingDecisions,
} from '../../../core/pipeline/4-policy/standing-decisions.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';

const MINUTE = 60_000;
const now: Moment & { readonly uid: number } = { nowMs: 1_000_000, bootId: 'first', uid: 0 };
const later = (ms: number): typeof now => ({ ...now, nowMs: now.nowMs + ms });
const dccp = { kind: 'module', module: moduleName('dccp') } as const;

function inForce(decisions: StandingDecisions, moment: Moment): readonly string[] {
  return forbidsInForce(decisions, moment).map(({ subject }) => subjectText(subject));
}

test('a forbid counts until it is taken back', t => {
  const forbidden = changeDecisions(NO_DECISIONS, { kind: 'forbid', subject: dccp, reason: 'unused' }, now);
  t.deepEqual(forbidden.forbids, [{ subject: dccp, reason: 'unused', uid: 0, atMs: now.nowMs }]);
  t.deepEqual(inForce(forbidden, later(9e12)), ['dccp']);
  t.deepEqual(inForce(changeDecisions(forbidden, { kind: 'permit', subject: dccp }, now), now), []);
});

test('a forbid with an end stops counting then, and the next change clears it away', t => {
  const forbidden = changeDecisions(
    NO_DECISIONS,
    { kind: 'forbid', subject: dccp, reason: '', untilMs: now.nowMs + MINUTE },
    now,
  );
  t.is(nextDeadline(forbidden, now), now.nowMs + MINUTE);
  t.deepEqual([inForce(forbidden, later(MINUTE - 1)), inForce(forbidden, later(MINUTE))], [['dccp'], []]);
  t.deepEqual(changeDecisions(forbidden, { kind: 'expire' }, later(MINUTE)), NO_DECISIONS);
  t.is(changeDecisions(forbidden, { kind: 'expire' }, later(MINUTE - 1)), forbidden);
});

const trial = { untilMs: now.nowMs + MINUTE, bootId: 'first' };

test('a trial goes back at its deadline, with another boot, and when the clock runs back; confirmed, it stays', t => {
  const tried = changeDecisions(NO_DECISIONS, { kind: 'forbid', subject: dccp, reason: '', trial }, now);
  t.deepEqual(inForce(tried, later(MINUTE - 1)), ['dccp']);
  for (const moment of [later(MINUTE), later(-1), { ...now, bootId: 'second' }]) {
    t.deepEqual(inForce(tried, moment), []);
    t.deepEqual(changeDecisions(tried, { kind: 'expire' }, { ...moment, uid: 0 }), NO_DECISIONS);
  }
  const confirmed = changeDecisions(tried, { kind: 'confirm' }, later(1));
  t.deepEqual(inForce(confirmed, { ...later(9e9), bootId: 'second' }), ['dccp']);
  t.is(changeDecisions(confirmed, { kind: 'confirm' }, later(2)), confirmed);
});

test('a permit on trial lifts a forbid for its time, and the forbid comes back by itself', t => {
  const forbidden = changeDecisions(NO_DECISIONS, { kind: 'forbid', subject: dccp, reason: 'r' }, now);
  const lifted = changeDecisions(forbidden, { kind: 'permit', subject: dccp, trial }, later(1));
  t.deepEqual(inForce(lifted, later(2)), []);
  for (const moment of [later(MINUTE), { ...later(2), bootId: 'second' }]) {
    t.deepEqual(inForce(lifted, moment), ['dccp']);
    t.deepEqual(changeDecisions(lifted, { kind: 'expire' }, { ...moment, uid: 0 }), forbidden);
  }
  t.deepEqual(inForce(changeDecisions(lifted, { kind: 'confirm' }, later(2)), later(9e9)), []);
});

test('a trial does not put an end to what is forbidden for good', t => {
  const forbidden = changeDecisions(NO_DECISIONS, { kind: 'forbid', subject: dccp, reason: 'r' }, now);
  t.is(changeDecisions(forbidden, { kind: 'forbid', subject: dccp, reason: '', trial }, now), forbidden);
});

test('a plain name is a module and the alias of that text; all else is a pattern; nonsense is neither', t => {
  t.deepEqual(subjectOf('usb-storage'), { kind: 'module', module: moduleName('usb_storage') });
  t.deepEqual(subjectOf('usb:v0781*'), { kind: 'alias', pattern: 'usb:v0781*' });
  for (const nonsense of ['', 'a b', 'a\nb', 'x'.repeat(2049), 'a]']) t.is(subjectOf(nonsense), undefined);
  t.true(namesAlias({ kind: 'module', module: moduleName('net_pf_21') }, 'net-pf-21'));
  t.true(namesAlias({ kind: 'alias', pattern: 'usb:v0781*' }, 'usb:v0781p5567d0100'));
  t.false(namesAlias({ kind: 'alias', pattern: 'usb:v0781*' }, 'usb:v0951p1666d0100'));
});

const change: fc.Arbitrary<DecisionChange> = fc.oneof(
  fc.record({ kind: fc.constant('forbid' as const), subject: fc.constant(dccp), reason: fc.string() }),
  fc.record({ kind: fc.constant('permit' as const), subject: fc.constant(dccp) }),
  fc.constantFrom<DecisionChange>({ kind: 'confirm' }, { kind: 'expire' }, { kind: 'permit', subject: dccp, trial }),
);

test('whatever is changed in whatever order, the last plain forbid or permit says what counts', t => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.boolean(), (changes, isForbidden) => {
      const before = changes.reduce((decisions, each) => changeDecisions(decisions, each, now), NO_DECISIONS);
      const last: DecisionChange = isForbidden
        ? { kind: 'forbid', subject: dccp, reason: '' }
        : { kind: 'permit', subject: dccp };
      t.deepEqual(inForce(changeDecisions(before, last, now), now), isForbidden ? ['dccp'] : []);
    }),
  );
});
