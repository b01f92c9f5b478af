import test from 'ava';
import * as fc from 'fast-check';
import { formatDecisions } from '../../../core/pipeline/4-policy/decisions-text.ts';
import { parseDecisions } from '../../../core/pipeline/4-policy/parse-decisions.ts';
import { subjectOf, type StandingDecisions, type Subject } from '../../../core/pipeline/4-policy/standing-decisions.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { formatProblem } from '../../../core/vocabulary/place.ts';

const FILE = 'decisions.toml';
const at = Date.UTC(2026, 10, 23, 9, 33);

const SOME: StandingDecisions = {
  forbids: [
    { subject: { kind: 'module', module: moduleName('dccp') }, reason: 'CVE-2026-31431 "x"\n', uid: 0, atMs: at },
    {
      subject: { kind: 'alias', pattern: 'usb:v0781*' },
      reason: '',
      uid: 1000,
      atMs: at,
      untilMs: at + 1000,
      trial: { untilMs: at + 500, bootId: 'b' },
    },
  ],
  answers: [
    {
      verdict: 'allow',
      scope: 'this-port',
      seen: {
        devpath: '/devices/usb1/1-2' as Devpath,
        modalias: 'usb:v1',
        descriptors: 'aa',
        diskseq: '7',
        inode: '9',
      },
      bootId: 'b',
      uid: 0,
      atMs: at,
    },
  ],
};

/** Decisions without the places they were read from. */
function placeless({ forbids, answers }: StandingDecisions): StandingDecisions {
  return {
    forbids: forbids.map(({ place: _place, ...forbid }) => forbid),
    answers: answers.map(({ place: _place, ...answer }) => answer),
  };
}

test('what is written is read again as it was', t => {
  const { decisions, problems, isWhole } = parseDecisions(formatDecisions(SOME), FILE);
  t.deepEqual(placeless(decisions), SOME);
  t.deepEqual([problems, isWhole], [[], true]);
  t.deepEqual(
    decisions.forbids.map(({ place }) => place),
    [
      { file: FILE, line: 5 },
      { file: FILE, line: 11 },
    ],
  );
});

const subject: fc.Arbitrary<Subject> = fc
  .oneof(fc.string({ maxLength: 20 }), fc.stringMatching(/^[a-z][a-z0-9_*?:[\]-]{0,12}$/))
  .map(subjectOf)
  .filter(found => found !== undefined);
const moment = fc.integer({ min: 0, max: Date.UTC(9999, 0) });
const trial = fc.record({ untilMs: moment, bootId: fc.string({ unit: 'grapheme', maxLength: 9 }) });
const decisions = fc.record({
  forbids: fc.array(
    fc.record(
      {
        subject,
        reason: fc.string({ unit: 'grapheme' }),
        uid: fc.nat(),
        atMs: moment,
        untilMs: moment,
        trial,
        liftedFor: trial,
      },
      { requiredKeys: ['subject', 'reason', 'uid', 'atMs'] },
    ),
    { maxLength: 4 },
  ),
  answers: fc.constant([]),
}) as fc.Arbitrary<StandingDecisions>;

test('whatever is decided, what is written is read again as it was', t => {
  fc.assert(
    fc.property(decisions, some => t.deepEqual(placeless(parseDecisions(formatDecisions(some), FILE).decisions), some)),
  );
});

test('any text is read without an error, and a cut file is never more permissive than what is left of it', t => {
  fc.assert(fc.property(fc.string(), text => void parseDecisions(text, FILE)));
  const whole = formatDecisions(SOME);
  for (let length = 0; length <= whole.length; length++) {
    const cut = whole.slice(0, length);
    const isFirstThere = cut.includes('module = "dccp"\n');
    const found = parseDecisions(cut, FILE).decisions.forbids.some(forbid => forbid.subject.kind === 'module');
    if (isFirstThere && length > whole.indexOf('[[forbid]]\nalias')) t.true(found, `cut at ${length}`);
  }
});

test('one slip of a hand permits nothing else, and each slip is named with its line', t => {
  const text = [
    'version = 2',
    '[[forbid]]',
    'module = "dccp"',
    'until = "tomorrow"',
    'colour = 1',
    '[[forbid]]',
    'module = "rds',
    '[[forbid]]',
    'alias = "net-pf-*"',
    '[[forbid]]',
    'reason = "nothing named"',
    '[[answer]]',
    'verdict = "perhaps"',
    '[[permit]]',
    'module = "x"',
  ].join('\n');
  const { decisions: found, problems, isWhole } = parseDecisions(text, FILE);
  t.false(isWhole);
  t.deepEqual(
    found.forbids.map(forbid => forbid.subject),
    [
      { kind: 'module', module: moduleName('dccp') },
      { kind: 'alias', pattern: 'net_pf_*' },
    ],
  );
  t.deepEqual(problems.map(formatProblem), [
    'decisions.toml:7:10: not TOML: unfinished string',
    'decisions.toml:1: version is 2, wanted 1',
    'decisions.toml:2: until is "tomorrow", wanted a time as 2026-11-23T14:05:00Z',
    'decisions.toml:2: there is no field "colour"; there are module, alias, reason, until, trial, lifted, by, at',
    'decisions.toml:10: a forbid names no module and no alias pattern, wanted one of them',
    'decisions.toml:12: verdict is "perhaps", wanted allow, deny',
    'decisions.toml:12: an answer has no verdict, scope or devpath that can be used; it is left out',
    'decisions.toml:14: there is no "permit" here; there are forbid and answer',
  ]);
});

test('a hostile file costs no more than its length', t => {
  const many = '[[forbid]]\nmodule = "a"\n'.repeat(20_000);
  t.is(parseDecisions(many, FILE).decisions.forbids.length, 20_000);
  t.is(parseDecisions(`${'['.repeat(100_000)}\n`, FILE).isWhole, false);
  t.is(parseDecisions(`${many}broken`, FILE).decisions.forbids.length, 19_999);
});
