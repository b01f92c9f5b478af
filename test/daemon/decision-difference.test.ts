import test from 'ava';
import { causeOf, differencesOf } from '../../core/daemon/decision-difference.ts';
import type { Decision, Opinion, VerdictKind } from '../../core/pipeline/4-policy/opinion.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';

function decided(name: string, verdict: VerdictKind, more: Partial<Opinion> = {}): Decision {
  const module = moduleName(name);
  const winner: Opinion = { verdict, module, by: 'rule', reason: 'so', ...more };
  return { module, verdict, winner, opinions: [winner] };
}

const place = { file: '/etc/usherd/rules.d/10.rules', line: 3, column: 7 };

test('what was allowed and what nobody spoke of is the same: it loads', t => {
  const silent: Decision = { module: moduleName('a'), verdict: 'abstain', opinions: [] };
  t.deepEqual(differencesOf([silent], [decided('a', 'allow')]), []);
  t.deepEqual(differencesOf([decided('a', 'deny')], [decided('a', 'deny', { by: 'plugin x' })]), []);
});

test('a difference is owed to whoever is stricter, by the line it stands in', t => {
  const [denied] = differencesOf([decided('a', 'allow')], [decided('a', 'deny', { place })]);
  t.deepEqual(denied, {
    module: 'a',
    before: { verdict: 'load' },
    after: { verdict: 'deny', by: 'rule', reason: 'so', place: '/etc/usherd/rules.d/10.rules:3' },
  });
  t.is(denied && causeOf(denied), 'rule, /etc/usherd/rules.d/10.rules:3');
  const [freed] = differencesOf([decided('a', 'hold', { by: 'plugin x' })], [decided('a', 'allow')]);
  t.is(freed && causeOf(freed), 'plugin x');
  const [stricter] = differencesOf([decided('a', 'hold')], [decided('a', 'deny', { by: 'administrator' })]);
  t.is(stricter && causeOf(stricter), 'administrator');
});

test('another module in place of it is another decision', t => {
  const by = (replacement: string): Decision => decided('a', 'replace', { replacement: moduleName(replacement) });
  t.deepEqual(differencesOf([by('b')], [by('b')]), []);
  t.deepEqual(
    differencesOf([by('b')], [by('c')]).map(({ after }) => after.replacement),
    ['c'],
  );
});

test('of several decisions on one module the strictest counts, and what is not asked about any more is no difference', t => {
  const [found, ...others] = differencesOf(
    [decided('a', 'deny'), decided('gone', 'deny')],
    [decided('a', 'allow'), decided('a', 'hold'), decided('new', 'hold')],
  );
  t.deepEqual([found?.before.verdict, found?.after.verdict], ['deny', 'hold']);
  t.deepEqual(
    others.map(({ module, before, after }) => [module, before.verdict, after.verdict]),
    [['new', 'load', 'hold']],
  );
});
