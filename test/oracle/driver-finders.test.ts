import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { AptArchive } from '../../core/drivers/apt/apt-archive.ts';
import { readAptLists } from '../../core/drivers/apt/apt-lists.ts';
import { listPrefix } from '../../core/drivers/apt/apt-sources.ts';
import { compareDebVersions } from '../../core/drivers/apt/deb-version.ts';
import type { DriverWish } from '../../core/drivers/driver-wish.ts';
import { appstreamFinder } from '../../core/drivers/finders/appstream.ts';
import { aptModaliasesFinder } from '../../core/drivers/finders/apt-modaliases.ts';
import { firmwareFinder } from '../../core/drivers/finders/firmware.ts';
import { readIndexFile } from '../../core/drivers/index/index-file.ts';
import { globMatches } from '../../core/kmod/lookup/glob.ts';
import { modalias } from '../../core/vocabulary/modalias.ts';
import { debianIndexes } from '../support/debian-indexes.ts';
import { Unavailable } from '../support/debian-packages.ts';
import { testUnless } from '../support/skip-aloud.ts';

/** Fetching 60 MB from a slow mirror takes some minutes. */
const FETCH_MAX_MS = 9 * 60_000;

let root = '';
let missing: string | undefined;
try {
  root = await debianIndexes();
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  missing = error.message;
}
const oracle = testUnless(missing, { isSerial: true });
test.before(t => t.timeout(FETCH_MAX_MS));

function wish(alias: string, firmware: readonly string[] = []): DriverWish {
  return { modalias: modalias(alias), release: '6.1.0-56-amd64', firmware };
}

/** What apt's own helper makes of a list, whatever packs it. */
function unpacked(file: string): Buffer {
  return execFileSync('/usr/lib/apt/apt-helper', ['cat-file', file], { maxBuffer: 1024 * 1024 * 1024 });
}

oracle("every list is unpacked to the bytes apt's own helper unpacks it to", async t => {
  const { lists } = readAptLists(root);
  t.true(lists.length >= 12);
  for (const { file } of lists) {
    const ours = createHash('sha256');
    for await (const chunk of readIndexFile(file)) ours.update(chunk);
    // A program of its own, as the largest has half a gigabyte.
    const { stdout } = spawnSync('sh', ['-c', '/usr/lib/apt/apt-helper cat-file "$1" | sha256sum', 'sh', file], {
      encoding: 'utf8',
    });
    t.is(ours.digest('hex'), stdout.slice(0, 64), file);
  }
});

oracle("lists and who made them are those apt's indextargets tells", t => {
  const format = '$(FILENAME)\t$(ORIGIN)\t$(COMPONENT)\t$(REPO_URI)\t$(RELEASE)';
  const told = execFileSync('apt-get', ['indextargets', '--format', format], {
    encoding: 'utf8',
    env: { ...process.env, APT_CONFIG: `${root}/apt.conf` },
  });
  const lines = told.split('\n').filter(line => line !== '');
  const stem = (file: string): string => file.replace(/\.(?:gz|xz|zst|lz4)$/, '');
  const wanted = lines
    .map(line => line.split('\t'))
    .map(([file = '', origin, component]) => [stem(file), origin, component]);
  const { lists, problems } = readAptLists(root);
  const ours = lists.map(({ file, origin, component }) => [stem(file), origin.name, component]);
  t.deepEqual(ours.map(String).toSorted(), wanted.map(String).toSorted());
  t.deepEqual(
    lists.flatMap(({ origin }) => origin.distrust ?? []),
    [],
  );
  t.deepEqual(problems, []);
  for (const line of lines) {
    const [file = '', , , uri = '', suite = ''] = line.split('\t');
    t.true(file.startsWith(`${root}/var/lib/apt/lists/${listPrefix({ uri, suite })}`), file);
  }
});

/** Each document of the DEP-11 lists, cut and searched in another way: by regular expressions over the whole text. */
function components(): readonly {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly firmware: readonly string[];
}[] {
  return readAptLists(root)
    .lists.filter(({ kind }) => kind === 'components')
    .flatMap(({ file }) => unpacked(file).toString('utf8').split(/^---$/m))
    .map(text => ({
      name: /^Package: (.*)$/m.exec(text)?.[1] ?? '',
      patterns: [...(/^ {2}modaliases:\n((?: {2}- .*\n)+)/m.exec(text)?.[1] ?? '').matchAll(/- (.*)\n/g)].map(
        ([, each = '']) => each,
      ),
      firmware: [...(/^ {2}firmware:\n((?: {2}.*\n)+)/m.exec(text)?.[1] ?? '').matchAll(/file: (.*)\n/g)].map(
        ([, each = '']) => each,
      ),
    }));
}

/** A pattern → a modalias of a device it takes in. */
function deviceOf(pattern: string): string {
  return pattern.replaceAll('*', '00');
}

oracle(
  'for a device of every pattern in AppStream, the packages are those whose components have a pattern that takes it in',
  async t => {
    const all = components();
    const archive = new AptArchive(root);
    const finder = appstreamFinder(archive, root);
    const known = new Set(await namesOf(archive));
    const patterns = [...new Set(all.flatMap(each => each.patterns))];
    t.true(patterns.length > 300);
    // Some of them, spread evenly: each search reads all lists.
    const some = patterns.filter((_, n) => n % Math.ceil(patterns.length / 25) === 0);
    for (const pattern of some) {
      const device = deviceOf(pattern);
      const wanted = all
        .filter(each => each.patterns.some(other => globMatches(other, device)))
        .map(({ name }) => name);
      const { candidates } = await finder.find(wish(device), () => {});
      t.deepEqual(
        candidates.map(({ id }) => id).toSorted(),
        [...new Set(wanted)].filter(name => known.has(name)).toSorted(),
        pattern,
      );
    }
    t.deepEqual(archive.problems, []);
  },
);

async function namesOf(archive: AptArchive): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { source } of archive.packagesWith(['Package: '], () => {})) names.push(source.name);
  return names;
}

oracle('packages of missing firmware are those that grep finds in the Contents lists', async t => {
  const archive = new AptArchive(root);
  const firmware = [
    'iwlwifi-7260-17.ucode',
    'amdgpu/navi10_sos.bin',
    'ath9k_htc/htc_9271-1.4.0.fw',
    'rtl_nic/rtl8168h-2.fw',
    'nowhere/none.bin',
  ];
  const { candidates, problems } = await firmwareFinder(archive).find(wish('pci:x', firmware), () => {});
  const owners = archive.lists('contents').flatMap(({ file }) => {
    const script = '/usr/lib/apt/apt-helper cat-file "$1" | grep -E "^(usr/)?lib/firmware/($2)(.xz|.zst)? "';
    const pattern = firmware.map(name => name.replaceAll('.', '[.]')).join('|');
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', file, pattern], { encoding: 'utf8' });
    return stdout.split('\n').flatMap(line => line.split(/\s+/).at(-1)?.split(',') ?? []);
  });
  const wanted = [
    ...new Set(owners.filter(owner => owner !== '').map(owner => owner.slice(owner.lastIndexOf('/') + 1))),
  ];
  t.true(wanted.length >= 4);
  t.deepEqual(candidates.map(({ id }) => id).toSorted(), wanted.toSorted());
  t.deepEqual(
    candidates.map(({ delivers }) => delivers),
    candidates.map(() => 'firmware'),
  );
  t.deepEqual(problems, []);
});

oracle("the stanza of a package is what apt-cache shows of it, and its hash is the index's", async t => {
  const archive = new AptArchive(root);
  const names = ['nvidia-driver', 'firmware-iwlwifi', 'broadcom-sta-dkms', 'dkms', 'bash'];
  const found = await archive.newestOf(names, () => {});
  const env = { ...process.env, APT_CONFIG: `${root}/apt.conf` };
  for (const name of names) {
    const shown = execFileSync('apt-cache', ['show', '--no-all-versions', name], { encoding: 'utf8', env });
    const field = (key: string): string | undefined => new RegExp(`^${key}: (.*)$`, 'm').exec(shown)?.[1];
    const source = found.get(name)?.source;
    t.deepEqual(
      [source?.version, source?.sha256, String(source?.sizeBytes), source?.path],
      [field('Version'), field('SHA256'), field('Size'), field('Filename')],
      name,
    );
  }
  t.like(found.get('broadcom-sta-dkms'), { licence: 'proprietary', source: { isDkms: true, component: 'non-free' } });
  t.like(found.get('bash'), { licence: 'free', source: { isDkms: false, component: 'main' } });
});

oracle('Debian has no Modaliases headers, and so nothing is found by them', async t => {
  const archive = new AptArchive(root);
  const { candidates, problems } = await aptModaliasesFinder(archive).find(
    wish('pci:v000010DEd00001DB1sv0sd0bc03sc00i00'),
    () => {},
  );
  t.deepEqual([candidates, problems], [[], []]);
});

oracle('versions of real packages are ordered as dpkg orders them', t => {
  const versions = versionsOf(
    readAptLists(root).lists.find(({ kind, component }) => kind === 'packages' && component === 'main')?.file ?? '',
    t,
  );
  const pairs = versions.slice(1).map((version, n) => [versions[n] ?? '', version] as const);
  const script = pairs.map(
    ([a, b]) =>
      `if dpkg --compare-versions '${a}' lt '${b}'; then echo lt; elif dpkg --compare-versions '${a}' gt '${b}'; then echo gt; else echo eq; fi`,
  );
  const told = execFileSync('sh', ['-c', script.join('\n')], { encoding: 'utf8' })
    .trim()
    .split('\n');
  const ours = pairs.map(([a, b]) => compareDebVersions(a, b)).map(sign => (sign < 0 ? 'lt' : sign > 0 ? 'gt' : 'eq'));
  t.deepEqual(ours, told);
});

/** Versions that differ in kind, some hundred of them, in an order that puts unlike ones side by side. */
function versionsOf(file: string, t: ExecutionContext): readonly string[] {
  const all = [...readFileSync(file, 'utf8').matchAll(/^Version: ([\w.+~:-]+)$/gm)].map(([, version = '']) => version);
  const some = [...new Set(all)].filter((version, n) => n % 200 === 0 || /~|^[2-9]:/.test(version)).slice(0, 250);
  t.true(some.length > 50);
  return some;
}
