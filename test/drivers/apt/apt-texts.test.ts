import test from 'ava';
import { listPrefix, parseDeb822Sources, parseListSources } from '../../../core/drivers/apt/apt-sources.ts';
import { compareDebVersions } from '../../../core/drivers/apt/deb-version.ts';
import { deliveryOf, licenceOfComponent, packageOf } from '../../../core/drivers/apt/package-stanza.ts';
import { parseStanza } from '../../../core/drivers/index/deb822.ts';
import { aptComplaint, parseSimulation, statusText } from '../../../core/drivers/install/apt-get.ts';
import type { Problem } from '../../../core/vocabulary/place.ts';

test('lines of sources.list are repositories, and a waived signature is seen', t => {
  const problems: Problem[] = [];
  const text = [
    '# a comment',
    'deb [arch=amd64 signed-by=/k.gpg] http://deb.example.org/debian bookworm main # why',
    'deb-src http://deb.example.org/debian bookworm main',
    'deb [trusted=yes] file:/srv/repo ./',
    'deb [ allow-insecure=yes ] http://x.example.org/ stable main',
    'nonsense here',
  ].join('\n');
  t.deepEqual(parseListSources(text, 's.list', problems), [
    { uri: 'http://deb.example.org/debian', suite: 'bookworm', waives: undefined, place: { file: 's.list', line: 2 } },
    { uri: 'file:/srv/repo', suite: './', waives: 'trusted', place: { file: 's.list', line: 4 } },
    { uri: 'http://x.example.org/', suite: 'stable', waives: 'allow-insecure', place: { file: 's.list', line: 5 } },
  ]);
  t.deepEqual(
    problems.map(({ place }) => place.line),
    [6],
  );
});

test('entries of a .sources file are one repository for each URI and suite, those switched off are none', t => {
  const problems: Problem[] = [];
  const text = [
    'Types: deb deb-src',
    'URIs: http://a.example.org/',
    'Suites: one two',
    'Components: main',
    '',
    'Types: deb',
    'URIs: http://b.example.org/',
    'Suites: three',
    'Trusted: yes',
    '',
    'Types: deb',
    'URIs: http://c.example.org/',
    'Suites: four',
    'Enabled: no',
    '',
    'Types: deb',
  ].join('\n');
  const sources = parseDeb822Sources(text, 'a.sources', problems);
  t.deepEqual(
    sources.map(({ uri, suite, waives, place }) => [uri, suite, waives, place.line]),
    [
      ['http://a.example.org/', 'one', undefined, 1],
      ['http://a.example.org/', 'two', undefined, 1],
      ['http://b.example.org/', 'three', 'trusted', 6],
    ],
  );
  t.deepEqual(
    problems.map(({ place }) => place.line),
    [16],
  );
});

test("a repository's lists are known by the name apt gives them", t => {
  const names = [
    { uri: 'http://deb.example.org/debian', suite: 'bookworm' },
    { uri: 'https://user:secret@x.example.org/a_b/', suite: 'stable' },
    { uri: 'file:/srv/repo', suite: './' },
    { uri: 'file:///srv/repo/', suite: '/' },
  ].map(listPrefix);
  t.deepEqual(names, [
    'deb.example.org_debian_dists_bookworm_',
    'x.example.org_a%5fb_dists_stable_',
    '_srv_repo_._',
    '_srv_repo_',
  ]);
});

test('versions are ordered as dpkg orders them', t => {
  const ordered = [
    '0~~',
    '0~',
    '0',
    '1.0~rc1-1',
    '1.0-1',
    '1.0-1+b1',
    '1.0-1.1',
    '1.0a-1',
    '1.0.1-1',
    '1.2-1',
    '1.10-1',
    '1:0.1',
    '10:0',
  ];
  for (const [n, a] of ordered.entries())
    for (const [m, b] of ordered.entries())
      t.is(Math.sign(compareDebVersions(a, b)), Math.sign(n - m), `${a} and ${b}`);
});

test('a stanza says for which kernel a package is, whether DKMS builds it, and how free it is', t => {
  const stanza = (text: string) => packageOf(parseStanza(text), 'non-free', undefined);
  const dkms = stanza('Package: acme-dkms\nVersion: 1\nDepends: dkms (>= 2.1), libc6\nArchitecture: all\n');
  t.like(dkms, { isDkms: true, releases: [] });
  const built = stanza(
    'Package: acme-modules-6.1.0-56-amd64\nVersion: 1:2\nSection: non-free/kernel\nSize: 12\nFilename: pool/a.deb\n',
  );
  t.deepEqual(built as unknown, {
    kind: 'package',
    manager: 'apt',
    name: 'acme-modules-6.1.0-56-amd64',
    version: '1:2',
    architecture: '',
    component: 'non-free',
    releases: ['6.1.0-56-amd64'],
    isDkms: false,
    sizeBytes: 12,
    path: 'pool/a.deb',
    description: '',
  });
  const byDependency = stanza(
    'Package: nvidia-x\nVersion: 1\nDepends: linux-image-5.15.0-91-generic (= 1), linux-modules-5.15.0-91-generic\n',
  );
  t.deepEqual(byDependency?.releases, ['5.15.0-91-generic']);
  t.is(stanza('Package: ../x\nVersion: 1\n'), undefined);
  t.is(stanza('Package: x1\nVersion: $(reboot)\n'), undefined);
  t.deepEqual(
    [
      licenceOfComponent('main', 'kernel'),
      licenceOfComponent('non-free', ''),
      licenceOfComponent('', 'restricted/kernel'),
      licenceOfComponent('vendor', ''),
    ],
    ['free', 'proprietary', 'proprietary', 'unknown'],
  );
  t.deepEqual(
    [dkms === undefined ? '' : deliveryOf(dkms, false), built === undefined ? '' : deliveryOf(built, false)],
    ['module', 'module'],
  );
});

test('what apt would do is read from its simulation', t => {
  const lines = [
    'NOTE: This is only a simulation!',
    'Inst libacme [1.0-1] (1.1-1 Vendor:stable [amd64]) []',
    'Inst acme-modules (1:2-3 Vendor:stable, Other:testing [all])',
    'Remv old-acme [0.9]',
    'Conf libacme (1.1-1 Vendor:stable [amd64])',
  ];
  t.deepEqual(parseSimulation(lines), {
    installed: [
      { name: 'libacme', version: '1.1-1', architecture: 'amd64', origin: 'Vendor:stable', before: '1.0-1' },
      { name: 'acme-modules', version: '1:2-3', architecture: 'all', origin: 'Vendor:stable, Other:testing' },
    ],
    removed: ['old-acme'],
  });
});

test("apt's progress and complaints are told in its own words", t => {
  t.is(statusText('pmstatus:acme:33.3333:Unpacking acme (amd64)'), '33 % Unpacking acme (amd64)');
  t.is(statusText('garbage'), undefined);
  const end = {
    status: 100,
    stdout: ['dpkg: error processing package acme (--configure):'],
    stderr: ['W: x', 'E: Sub-process failed'],
  };
  t.is(aptComplaint(end), 'E: Sub-process failed; dpkg: error processing package acme (--configure):');
  t.is(aptComplaint({ status: 3, stdout: [], stderr: [] }), 'it ended with status 3 and said nothing');
});
