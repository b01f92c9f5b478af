import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';
import { AptArchive } from '../../core/drivers/apt/apt-archive.ts';
import { readDpkgStatus } from '../../core/drivers/apt/dpkg-status.ts';
import type { DriverWish } from '../../core/drivers/driver-wish.ts';
import { appstreamFinder } from '../../core/drivers/finders/appstream.ts';
import { aptModaliasesFinder } from '../../core/drivers/finders/apt-modaliases.ts';
import { firmwareFinder } from '../../core/drivers/finders/firmware.ts';
import { rpmProvidesFinder } from '../../core/drivers/finders/rpm-provides.ts';
import { askedInVain } from '../../core/drivers/missing-firmware.ts';
import { enrolmentSteps } from '../../core/drivers/install/secure-boot-steps.ts';
import { readSystemFacts } from '../../core/drivers/system-facts.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';
import { modalias } from '../../core/vocabulary/modalias.ts';

const LISTS = 'var/lib/apt/lists';
const PREFIX = `${LISTS}/x.example.org_ubuntu_dists_noble_`;

function root(files: Readonly<Record<string, string | Buffer>>): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-finders-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), content);
  }
  return dir;
}

const APT = {
  'etc/apt/sources.list': 'deb http://x.example.org/ubuntu noble main restricted\n',
  [`${PREFIX}InRelease`]:
    '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin: Ubuntu\nSuite: noble\nCodename: noble\n',
};

function wish(alias: string, firmware: readonly string[] = []): DriverWish {
  return { modalias: modalias(alias), release: '6.8.0-31-generic', firmware };
}

/** Stanzas as Ubuntu's archive has them for graphics cards. */
const NVIDIA = [
  'Package: nvidia-driver-535',
  'Version: 535.171.04-0ubuntu2',
  'Architecture: amd64',
  'Section: restricted/libs',
  'Support: PB',
  'Modaliases: nvidia(pci:v000010DEd00001DB1sv*sd*bc03sc*i*, pci:v000010DEd*sv*sd*bc03sc00i00*)',
  'SHA256: aa',
  '',
  'Package: nvidia-driver-550',
  'Version: 550.67-0ubuntu3',
  'Architecture: amd64',
  'Section: restricted/libs',
  'Support: NFB',
  'Modaliases: nvidia(pci:v000010DEd00001DB1sv*sd*bc03sc*i*)',
  '',
  'Package: unrelated',
  'Version: 1',
  'Modaliases: x(usb:v*p*d*), ../bad(pci:*)',
  '',
  'Package: BAD NAME',
  'Version: 1',
  'Modaliases: x(pci:*)',
  '',
].join('\n');

test('packages with Modaliases headers are found by the narrowest pattern, and what is not sound is told with its line', async t => {
  for (const [name, pack] of [
    ['', (text: string) => Buffer.from(text)],
    ['.gz', (text: string) => gzipSync(text)],
    ['.zst', (text: string) => zstdCompressSync(text)],
  ] as const) {
    const file = `${PREFIX}restricted_binary-amd64_Packages${name}`;
    const dir = root({ ...APT, [file]: pack(NVIDIA) });
    const finder = aptModaliasesFinder(new AptArchive(dir));
    const { candidates, problems } = await finder.find(
      wish('pci:v000010DEd00001DB1sv000010DEsd00001212bc03sc02i00'),
      () => {},
    );
    t.deepEqual(
      candidates.map(({ id, match, origin, licence }) => [
        id,
        match.kind === 'modalias' ? match.pattern : '',
        match.place.line,
        origin.name,
        licence,
      ]),
      [
        ['nvidia-driver-535', 'pci:v000010DEd00001DB1sv*sd*bc03sc*i*', 6, 'Ubuntu', 'proprietary'],
        ['nvidia-driver-550', 'pci:v000010DEd00001DB1sv*sd*bc03sc*i*', 14, 'Ubuntu', 'proprietary'],
      ],
    );
    t.deepEqual(
      problems.map(({ place }) => place),
      [20, 18].map(line => ({ file: path.join(dir, file), line })),
    );
  }
});

test('a list that is damaged is a problem, and the others are read', async t => {
  const good = `${PREFIX}main_binary-amd64_Packages`;
  const bad = `${PREFIX}restricted_binary-amd64_Packages.gz`;
  const dir = root({ ...APT, [good]: NVIDIA, [bad]: gzipSync(NVIDIA).subarray(0, 60) });
  const { candidates, problems } = await aptModaliasesFinder(new AptArchive(dir)).find(
    wish('pci:v000010DEd00001DB1sv0sd0bc03sc00i00'),
    () => {},
  );
  t.is(candidates.length, 2);
  t.regex(
    problems.map(({ place, message }) => `${place.file}: ${message}`).join('\n'),
    /restricted_binary-amd64_Packages\.gz: .*cannot be unpacked/,
  );
});

test('firmware that is missing is found in a Contents list, whatever packs the file, and the lack of lists is told', async t => {
  const contents = [
    'usr/lib/firmware/iwlwifi-9260.ucode.zst                 non-free-firmware/kernel/firmware-iwl,non-free/kernel/other-fw',
    'lib/firmware/iwlwifi-9260.ucode.txt                     doc/nothing',
    'usr/share/doc/lib/firmware/iwlwifi-9260.ucode           doc/nothing',
    '',
  ].join('\n');
  const packages = 'Package: firmware-iwl\nVersion: 1\nArchitecture: all\n\nPackage: other-fw\nVersion: 2\n\n';
  const dir = root({
    ...APT,
    [`${PREFIX}main_Contents-amd64.gz`]: gzipSync(contents),
    [`${PREFIX}main_binary-amd64_Packages`]: packages,
  });
  const found = await firmwareFinder(new AptArchive(dir)).find(
    wish('pci:x', ['iwlwifi-9260.ucode', 'none.bin']),
    () => {},
  );
  t.deepEqual(
    found.candidates.map(({ id, match }) => [id, match.kind === 'firmware' ? match.name : '']),
    [
      ['firmware-iwl', 'iwlwifi-9260.ucode'],
      ['other-fw', 'iwlwifi-9260.ucode'],
    ],
  );
  t.deepEqual(found.problems, []);
  const without = root({ ...APT, [`${PREFIX}main_binary-amd64_Packages`]: packages });
  const nothing = await firmwareFinder(new AptArchive(without)).find(wish('pci:x', ['none.bin']), () => {});
  t.deepEqual(nothing.candidates, []);
  t.regex(nothing.problems[0]?.message ?? '', /no Contents lists.*apt-file/);
});

test('catalogues of AppStream beside the lists of apt are read, too', async t => {
  const component = 'Type: firmware\nPackage: firmware-x\nProvides:\n  modaliases:\n  - usb:v1164p0602d*\n';
  const dir = root({
    ...APT,
    'var/cache/swcatalog/yaml/vendor.yml': `File: DEP-11\n---\n${component}`,
    [`${PREFIX}main_binary-amd64_Packages`]: 'Package: firmware-x\nVersion: 3\n\n',
  });
  const { candidates } = await appstreamFinder(new AptArchive(dir), dir).find(wish('usb:v1164p0602d0100'), () => {});
  t.like(candidates[0], { id: 'firmware-x', delivers: 'firmware', source: { version: '3' } });
});

test("dnf's packages are found by their modalias() provides; usher says that it does not install them", async t => {
  const package_ = (name: string, provides: string): string =>
    `<package type="rpm">\n<name>${name}</name>\n<arch>x86_64</arch>\n<version epoch="0" ver="1" rel="2"/>\n<rpm:license>GPLv2</rpm:license>\n<rpm:entry name="${provides}"/>\n</package>\n`;
  const xml = `<metadata>\n${package_('kmod-acme', 'modalias(pci:v00001234d000011E8sv*sd*bc*sc*i*)')}${package_('bash', 'sh')}${package_('kmod-all', 'modalias(pci:v*)')}</metadata>\n`;
  const file = 'var/cache/dnf/vendor-0123456789abcdef/repodata/ab-primary.xml.gz';
  const dir = root({ [file]: gzipSync(xml) });
  const { candidates, problems } = await rpmProvidesFinder(dir).find(
    wish('pci:v00001234d000011E8sv0sd0bc00sc00i00'),
    () => {},
  );
  t.deepEqual(
    candidates.map(({ id, origin, licence, match }) => [id, origin.name, licence, match.place.line]),
    [
      ['kmod-acme', 'vendor', 'free', 1],
      ['kmod-all', 'vendor', 'free', 15],
    ],
  );
  t.regex(candidates[0]?.origin.distrust ?? '', /dnf install/);
  t.deepEqual(problems, []);
});

test('what the kernel asked for in vain is what its log says for that device', t => {
  const log = [
    'iwlwifi 0000:02:00.0: Direct firmware load for iwlwifi-9260-46.ucode failed with error -2',
    'iwlwifi 0000:03:00.0: Direct firmware load for other.ucode failed with error -2',
    'iwlwifi 0000:02:00.0: Direct firmware load for broken.ucode failed with error -12',
    'nothing of the kind',
  ];
  t.deepEqual(askedInVain(log, '0000:02:00.0'), ['iwlwifi-9260-46.ucode']);
});

test("dpkg's packages are known by name and architecture", t => {
  const stanza = (arch: string, version: string, status: string): string =>
    `Package: libx\nStatus: ${status}\nArchitecture: ${arch}\nVersion: ${version}\n`;
  const dir = root({
    'var/lib/dpkg/status': [
      stanza('i386', '1', 'deinstall ok config-files'),
      stanza('amd64', '2', 'install ok installed'),
    ].join('\n'),
  });
  const status = readDpkgStatus(dir);
  t.is(status.get('libx:i386')?.state, 'config-files');
  t.is(status.get('libx')?.version, '2');
  t.is(readDpkgStatus('/nonexistent').size, 0);
});

test('how a key is enrolled is told where the kernel takes only signed modules, and by the certificate that is there', t => {
  const files = { 'sys/module/module/parameters/sig_enforce': 'Y\n', 'proc/modules': '' };
  const bare = systemRoot({ root: root(files) }, { env: {}, uid: 0 });
  t.regex(
    enrolmentSteps(bare, '6.8.0').join('\n'),
    /module\.sig_enforce is set.*\n.*dkms and openssl.*\n.*mokutil --import CERTIFICATE\.der/,
  );
  const withKey = systemRoot({ root: root({ ...files, 'var/lib/dkms/mok.pub': 'x' }) }, { env: {}, uid: 0 });
  t.regex(
    enrolmentSteps(withKey, '6.8.0').join('\n'),
    /mokutil --import \/var\/lib\/dkms\/mok\.pub.*\n.*MokManager.*\n.*usher driver recover/,
  );
  const free = systemRoot({ root: root({ 'proc/modules': '' }) }, { env: {}, uid: 0 });
  t.deepEqual(enrolmentSteps(free, '6.8.0'), []);
});

test('Secure Boot is read from the variable of the firmware', t => {
  const variable = 'sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
  const facts = (value: number) =>
    readSystemFacts(
      systemRoot({ root: root({ [variable]: Buffer.from([6, 0, 0, 0, value]) }) }, { env: {}, uid: 0 }),
      '6.8.0',
    );
  t.deepEqual([facts(1).secureBoot, facts(0).secureBoot], [true, false]);
});
