import test from 'ava';
import * as fc from 'fast-check';
import { joinOpinions, mayLoad } from '../../../core/pipeline/4-policy/decide.ts';
import { VERDICT_KINDS, type Opinion } from '../../../core/pipeline/4-policy/opinion.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';

const module = moduleName('usb_storage');

const anyOpinion: fc.Arbitrary<Opinion> = fc.record({
  verdict: fc.constantFrom(...VERDICT_KINDS),
  module: fc.constant(module),
  by: fc.constantFrom('modprobe.d', 'administrator', 'plugin usb-trust'),
  reason: fc.string({ maxLength: 12 }),
});

test('nobody says anything: the module may load, and nobody has won', t => {
  const decision = joinOpinions(module, []);
  t.deepEqual(decision, { module, verdict: 'abstain', opinions: [] });
  t.true(mayLoad(decision));
});

test('a deny beats an allow, and both are kept, the winner first', t => {
  const allow: Opinion = { verdict: 'allow', module, by: 'administrator', reason: 'approved once' };
  const deny: Opinion = { verdict: 'deny', module, by: 'modprobe.d', reason: 'blacklist usb_storage' };
  const decision = joinOpinions(module, [allow, deny]);
  t.deepEqual(decision, { module, verdict: 'deny', opinions: [deny, allow], winner: deny });
  t.false(mayLoad(decision));
});

test('the order in which opinions come never matters', t => {
  fc.assert(
    fc.property(fc.array(anyOpinion, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (opinions, keys) => {
      const shuffled = opinions.map(opinion => ({ opinion, key: keys.next().value as number }));
      const other = shuffled.toSorted((a, b) => a.key - b.key).map(({ opinion }) => opinion);
      t.deepEqual(joinOpinions(module, other), joinOpinions(module, opinions));
    }),
  );
});

test('one more opinion makes a verdict stricter or leaves it, never milder', t => {
  const strictness = (verdict: Opinion['verdict']): number => -VERDICT_KINDS.indexOf(verdict);
  fc.assert(
    fc.property(fc.array(anyOpinion, { maxLength: 8 }), anyOpinion, (opinions, another) => {
      const before = joinOpinions(module, opinions).verdict;
      const after = joinOpinions(module, [...opinions, another]).verdict;
      t.true(strictness(after) >= strictness(before));
    }),
  );
});

const anyAnswer = anyOpinion.map(opinion => ({ ...opinion, by: 'administrator', verdict: 'allow' as const }));

test('an answer of allow ends a hold, and both are kept', t => {
  const hold: Opinion = { verdict: 'hold', module, by: 'usherd.toml', reason: 'it is a disk' };
  const answer: Opinion = { verdict: 'allow', module, by: 'administrator', reason: 'approved once' };
  const decision = joinOpinions(module, [hold], [answer]);
  t.deepEqual(decision, { module, verdict: 'allow', opinions: [hold, answer], winner: answer });
  t.true(mayLoad(decision));
});

test('no answer undoes a deny: deny wins wherever one opinion or answer is one', t => {
  fc.assert(
    fc.property(fc.array(anyOpinion, { maxLength: 8 }), fc.array(anyAnswer, { maxLength: 3 }), (opinions, answers) => {
      const isDenied = opinions.some(({ verdict }) => verdict === 'deny');
      t.is(joinOpinions(module, opinions, answers).verdict === 'deny', isDenied);
      t.is(
        joinOpinions(module, opinions, [...answers, { verdict: 'deny', module, by: 'a', reason: '' }]).verdict,
        'deny',
      );
    }),
  );
});

test('every opinion and answer is kept, whatever wins, and the winner is one of them', t => {
  fc.assert(
    fc.property(fc.array(anyOpinion, { maxLength: 8 }), fc.array(anyAnswer, { maxLength: 3 }), (opinions, answers) => {
      const decision = joinOpinions(module, opinions, answers);
      const kept = decision.opinions.map(opinion => JSON.stringify(opinion)).toSorted();
      t.deepEqual(kept, [...opinions, ...answers].map(opinion => JSON.stringify(opinion)).toSorted());
      t.is(decision.winner === undefined || decision.opinions.includes(decision.winner), true);
      t.is(decision.winner === undefined, decision.verdict === 'abstain');
    }),
  );
});
