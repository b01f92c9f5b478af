import test from 'ava';
import * as fc from 'fast-check';
import type { DriverCandidate } from '../../core/drivers/candidate.ts';
import { breadthOf } from '../../core/drivers/pattern-breadth.ts';
import { chosenOf, rankCandidates } from '../../core/drivers/rank.ts';
import type { SystemFacts } from '../../core/drivers/system-facts.ts';

const RELEASE = '6.1.0-56-amd64';
const FACTS: SystemFacts = { release: RELEASE, hasHeaders: true, hasDkms: true };
const EXACT = 'pci:v000010DEd00001DB1sv*sd*bc03sc*i*';
const place = { file: 'Packages', line: 1 };

type PackageSource = Extract<DriverCandidate['source'], { kind: 'package' }>;

function candidate(
  id: string,
  more: Partial<DriverCandidate> & { readonly package?: Partial<PackageSource>; readonly pattern?: string } = {},
): DriverCandidate {
  const { package: facts, pattern = EXACT, ...rest } = more;
  return {
    id,
    finder: 'apt',
    match: { kind: 'modalias', pattern, place },
    source: {
      kind: 'package',
      manager: 'apt',
      name: id,
      version: '1',
      architecture: 'amd64',
      component: '',
      releases: [RELEASE],
      isDkms: false,
      description: '',
      ...facts,
    },
    origin: { name: 'Vendor', suite: 'stable' },
    delivers: 'module',
    licence: 'proprietary',
    ...rest,
  };
}

function order(candidates: readonly DriverCandidate[], facts = FACTS): readonly string[] {
  return rankCandidates(candidates, facts).map(({ candidate: { id } }) => id);
}

test('the order is in-tree, free, exact, for this kernel, recommended; programs, broad patterns and obstacles come last', t => {
  const candidates = [
    candidate('untrusted', {
      origin: { name: 'X', suite: '', distrust: 'its Release file is not signed' },
      licence: 'free',
    }),
    candidate('for-another', { package: { releases: ['5.10.0-1-amd64'] } }),
    candidate('wildcard', { pattern: 'pci:v*d*sv*sd*bc*sc*i*', licence: 'free' }),
    candidate('tool', { delivers: 'program', licence: 'free' }),
    candidate('firmware', { delivers: 'firmware' }),
    candidate('legacy', { package: { support: 'Legacy' } }),
    candidate('dkms', { package: { releases: [], isDkms: true } }),
    candidate('vendor-class', { pattern: 'pci:v000010DEd*sv*sd*bc03sc00i00*' }),
    candidate('recommended', { package: { support: 'PB' } }),
    candidate('newer', { package: { version: '2' } }),
    candidate('older'),
    candidate('free-dkms', { licence: 'free', package: { releases: [], isDkms: true } }),
    candidate('nouveau', { source: { kind: 'module', module: 'nouveau', license: 'GPL' }, licence: 'free' }),
  ];
  const wanted = [
    'nouveau',
    'free-dkms',
    'recommended',
    'newer',
    'older',
    'legacy',
    'dkms',
    'vendor-class',
    'firmware',
    'wildcard',
    'tool',
    'untrusted',
    'for-another',
  ];
  t.deepEqual(order(candidates), wanted);
  t.deepEqual(order(candidates.toReversed()), wanted);
});

test('a pattern for a whole vendor or class is never taken unasked, whatever else speaks for it', t => {
  for (const pattern of [
    '*',
    'pci:*',
    'pci:v*d*sv*sd*bc02sc80i*',
    'pci:v00001234d*sv*sd*bc*sc*i*',
    'usb:v*p*d*dc*dsc*dp*ic08isc*ip*in*',
    'acpi*:*:',
  ])
    t.is(chosenOf(rankCandidates([candidate('broad', { pattern, licence: 'free' })], FACTS)), undefined, pattern);
  t.is(
    chosenOf(rankCandidates([candidate('broad', { pattern: 'pci:*' }), candidate('exact')], FACTS))?.candidate.id,
    'exact',
  );
});

test("the kernel's own driver of a class comes before a proprietary one for the very device, which has to be named", t => {
  const ahci = candidate('ahci', {
    source: { kind: 'module', module: 'ahci', license: 'GPL' },
    licence: 'free',
    pattern: 'pci:v*d*sv*sd*bc01sc06i01*',
  });
  const ranked = rankCandidates([candidate('vendor-raid'), ahci], FACTS);
  t.deepEqual(
    ranked.map(({ candidate: { id }, flags }) => [id, flags]),
    [
      ['ahci', []],
      ['vendor-raid', []],
    ],
  );
  t.is(chosenOf(ranked)?.candidate.id, 'ahci');
});

test('how many devices a pattern takes in', t => {
  const exactness = (pattern: string): number => breadthOf(pattern).exactness;
  t.deepEqual(
    [
      'pci:v00001234d000011E8sv*sd*bc*sc*i*',
      'usb:v1DE1p1101d*',
      'hid:b0003g0001v000016C0p000005DF',
      'acpi*:PNP0C0A:*',
      'sdio:c*v02D0d4324*',
      'pci:v000010DEd*sv*sd*bc03sc02i00*',
      'pci:v*d*sv*sd*bc02sc80i*',
      'usb:v03EBp*',
      'usb:*',
      'platform:*',
    ].map(exactness),
    [4, 4, 4, 4, 4, 3, 2, 1, 0, 0],
  );
});

test('where the kernel takes only signed modules, what is built here ranks before what nobody signed, and the reason says what to do', t => {
  const facts = { ...FACTS, needsSignature: 'module.sig_enforce is set' };
  const [first] = rankCandidates([candidate('built', { package: { releases: [], isDkms: true } })], facts);
  t.regex(
    first?.reasons.join('; ') ?? '',
    /module\.sig_enforce is set: DKMS signs with this machine's key, which must be enrolled/,
  );
});

test('without headers DKMS cannot build, and that is said', t => {
  const [first] = rankCandidates([candidate('built', { package: { releases: [], isDkms: true } })], {
    ...FACTS,
    hasHeaders: false,
  });
  t.regex(first?.reasons.join('; ') ?? '', /needs the headers of 6\.1\.0-56-amd64: they are not there/);
});

test('the order of candidates does not depend on the order they were found in', t => {
  const some = fc.record({
    licence: fc.constantFrom<DriverCandidate['licence'][]>('free', 'proprietary', 'unknown'),
    delivers: fc.constantFrom<DriverCandidate['delivers'][]>('module', 'firmware', 'program'),
    pattern: fc.constantFrom(EXACT, 'pci:*', 'pci:v000010DEd*sv*sd*bc03sc00i00*'),
    package: fc.record({
      version: fc.constantFrom('1', '2', '1:0'),
      isDkms: fc.boolean(),
      releases: fc.constantFrom([], [RELEASE], ['5.10.0-1-amd64']),
    }),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(some, { maxLength: 8 }), found => {
        const candidates = found.map((each, n) => candidate(`c${n}`, each));
        return JSON.stringify(order(candidates)) === JSON.stringify(order(candidates.toReversed()));
      }),
    ),
  );
});
