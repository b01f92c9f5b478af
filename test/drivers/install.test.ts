import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { whyNoRepository, type MadePackage } from '../support/apt-world.ts';
import { claims, DEVICE, DriverWorld, RELEASE } from '../support/driver-world.ts';
import { testUnless } from '../support/skip-aloud.ts';

const real = testUnless(whyNoRepository());

const DRIVER: MadePackage = {
  name: `acme-modules-${RELEASE}`,
  version: '1.0-1',
  fields: claims(),
  files: { [`lib/modules/${RELEASE}/updates/acme.txt`]: 'of the vendor', 'opt/acme/readme': 'hello' },
};
const DECOY: MadePackage = { name: 'decoy-modules', version: '9', fields: { Modaliases: 'decoy(pci:*)' } };

function world(t: ExecutionContext, ...args: ConstructorParameters<typeof DriverWorld>): DriverWorld {
  const made = new DriverWorld(...args);
  t.teardown(() => made.remove());
  return made;
}

real('a driver is put in place by apt, is in the record, and goes again without a trace', async t => {
  const here = world(t, [
    { ...DRIVER, fields: claims({ Depends: 'acme-common (>= 1)' }) },
    DECOY,
    { name: 'acme-common', version: '1:2.0' },
  ]);
  here.update();
  await here.usher('depmod', RELEASE);
  const before = here.state();
  const { status, stdout, stderr } = await here.install('--yes');
  t.is(status, 0, stderr);
  t.regex(stdout, /installs acme-common 1:2\.0 from Test Vendor/);
  t.is(readFileSync(path.join(here.root, `lib/modules/${RELEASE}/updates/acme.txt`), 'utf8'), 'of the vendor');
  const [told] = await here.transactions();
  t.like(told, { state: 'installed', consent: { how: '--yes' } });
  t.deepEqual(told?.packages.map(({ name, version }) => `${name}=${version}`).toSorted(), [
    'acme-common=1:2.0',
    `${DRIVER.name}=1.0-1`,
  ]);
  t.is((await here.usher('driver', 'remove', DRIVER.name)).status, 0);
  t.is(here.state(), before);
  t.like((await here.transactions())[0], { state: 'removed' });
  t.is((await here.usher('driver', 'remove', DRIVER.name)).status, 1);
});

real('nothing is changed without consent, nor by a dry run', async t => {
  const here = world(t, [DRIVER]);
  here.update();
  const before = here.state();
  t.is((await here.install()).status, 15);
  t.is((await here.install('--dry-run')).status, 0);
  t.deepEqual([here.state(), await here.transactions()], [before, []]);
});

real('settings let an origin in without asking, and only that', async t => {
  const here = world(t, [DRIVER]);
  here.update();
  t.is((await here.usher('driver', 'install', '--by-policy')).status, 0);
  t.deepEqual(await here.transactions(), []);
  here.put('etc/usherd/usherd.toml', '[vendor_driver]\ninstall_from = ["Somebody Else"]\n');
  t.is((await here.usher('driver', 'install', '--by-policy')).status, 0);
  t.deepEqual(await here.transactions(), []);
  here.put('etc/usherd/usherd.toml', '[vendor_driver]\ninstall_from = ["Test Vendor"]\n');
  const { status, stderr } = await here.usher('driver', 'install', '--by-policy');
  t.is(status, 0, stderr);
  t.like((await here.transactions())[0], { state: 'installed', consent: { how: 'policy: Test Vendor' } });
  // What somebody removed does not come back by itself.
  t.is((await here.usher('driver', 'remove', DRIVER.name)).status, 0);
  t.is((await here.usher('driver', 'install', '--by-policy')).status, 0);
  t.deepEqual(
    (await here.transactions()).map(({ state }) => state),
    ['removed'],
  );
});

real('what matches by a wildcard alone is taken only when it is named', async t => {
  const here = world(t, [DECOY]);
  here.update();
  const { status, stderr } = await here.install('--yes');
  t.is(status, 1);
  t.regex(stderr, /may be taken unasked; there is decoy-modules/);
  t.is((await here.install('decoy-modules', '--yes')).status, 0);
});

real('nothing comes from an origin that settings do not list', async t => {
  const here = world(t, [DRIVER]);
  here.update();
  here.put('etc/usherd/usherd.toml', '[vendor_driver]\norigins = ["Debian"]\n');
  const { status, stderr } = await here.install(DRIVER.name, '--yes');
  t.is(status, 1);
  t.regex(stderr, /nothing is taken from Test Vendor: vendor_driver\.origins lists Debian/);
});

real('an origin nobody signed is refused, also where sources.list says it is trusted', async t => {
  for (const sourceOptions of ['trusted=yes', 'allow-insecure=yes']) {
    const here = world(t, [DRIVER], { isSigned: false, sourceOptions });
    here.update('-o', 'Acquire::AllowInsecureRepositories=true');
    const before = here.state();
    const { status, stderr } = await here.install(DRIVER.name, '--yes');
    t.is(status, 1, stderr);
    t.regex(
      stderr,
      new RegExp(`nothing is taken from Test Vendor: ${sourceOptions} at .*sources\\.list:1 waives its signature`),
    );
    t.is(here.state(), before);
  }
});

real('an origin nobody signed is refused also when all of apt was told to take such ones', async t => {
  const here = world(t, [DRIVER], { isSigned: false });
  here.update('-o', 'Acquire::AllowInsecureRepositories=true');
  here.put(
    'etc/apt/apt.conf.d/careless',
    'Acquire::AllowInsecureRepositories "true";\nAPT::Get::AllowUnauthenticated "true";\n',
  );
  const before = here.state();
  const { status, stderr } = await here.install(DRIVER.name, '--yes');
  t.is(status, 1);
  t.regex(stderr, /nothing is taken from Test Vendor: its Release file is not signed/);
  t.is(here.state(), before);
});

real('whoever holds the lock of dpkg is waited for', async t => {
  const here = world(t, [DRIVER, { name: 'other', version: '1' }]);
  here.update();
  // apt runs this once it has the lock; the file says that it does.
  const held = here.holdLock('other');
  while (!existsSync(path.join(here.root, 'tmp/held'))) await pause(20);
  const installing = here.install('--yes');
  const steps = async (): Promise<string> =>
    JSON.stringify((await here.transactions()).map(({ state, step }) => [state, step]));
  try {
    while ((await steps()) !== '[["open","install"]]') await pause(100);
    // Long enough for an apt that does not wait to have given up.
    await pause(1000);
    t.is(await steps(), '[["open","install"]]');
  } finally {
    here.put('tmp/let-go', '');
  }
  await held;
  const { status, stderr } = await installing;
  t.is(status, 0, stderr);
});

real('without a name the search tells of every device without a driver for which something is known', async t => {
  const here = world(t, [DRIVER]);
  here.update();
  here.put('sys/devices/pci0000:00/0000:00:06.0/uevent', 'SUBSYSTEM=pci\nMODALIAS=pci:v0000FFFFd0000FFFF\n');
  const { status, stdout, stderr } = await here.usher('driver', 'search', '--json');
  t.is(status, 0, stderr);
  t.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as { devpath: string }).devpath),
    [`/devices/pci0000:00/${DEVICE}`],
  );
});

real('a journal that is damaged is told, and the others count', async t => {
  const here = world(t, [DRIVER]);
  here.update();
  t.is((await here.install('--yes')).status, 0);
  for (const [name, text] of [
    ['a.json', '{'],
    ['b.json', 'null'],
    ['c.json', '{"id":"c"}'],
    ['d.json', '[]'],
  ] as const)
    here.put(`var/lib/usherd/drivers/${name}`, text);
  const { status, stdout, stderr } = await here.usher('driver', 'list');
  t.is(status, 0);
  t.regex(stdout, new RegExp(DRIVER.name));
  t.is(stderr.trim().split('\n').length, 4);
  t.is((await here.usher('driver', 'remove', DRIVER.name)).status, 0);
});

real('indexes are fetched anew when that is asked for', async t => {
  const here = world(t, [DRIVER]);
  const before = await here.usher('driver', 'search', DEVICE);
  t.is(before.status, 1);
  const { status, stdout, stderr } = await here.usher('driver', 'search', DEVICE, '--refresh');
  t.is(status, 0, stderr);
  t.regex(stdout, new RegExp(DRIVER.name));
});

real('an origin whose signature is by another key has no lists with apt, and nothing is found', async t => {
  const [here, other] = [world(t, [DRIVER]), world(t, [DRIVER])];
  writeFileSync(
    path.join(here.root, 'etc/apt/trusted.gpg.d/vendor.gpg'),
    readFileSync(path.join(other.repository, 'vendor.gpg')),
  );
  t.throws(() => here.update());
  const { status, stderr } = await here.install(DRIVER.name, '--yes');
  t.is(status, 1);
  t.regex(stderr, /is no candidate/);
});

real('a package that is not the one the signed index names is not installed', async t => {
  const here = world(t, [DRIVER]);
  here.update();
  const before = here.state();
  const [deb = ''] = globSync('pool/*.deb', { cwd: here.repository });
  const file = path.join(here.repository, deb);
  const bytes = readFileSync(file);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const { status, stderr } = await here.install('--yes');
  t.is(status, 14);
  t.regex(stderr, /has the SHA-256 [0-9a-f]{64}, its index says [0-9a-f]{64}|Hash Sum mismatch/);
  t.is(here.state(), before);
  t.like((await here.transactions())[0], { state: 'undone', trouble: { step: 'fetch' } });
});

real('without a network the fetch fails, nothing is changed, and the same works once there is one', async t => {
  let isUp = true;
  const server = createServer((request, response) => {
    const file = path.join(here.repository, decodeURIComponent(request.url ?? ''));
    if (!isUp) response.destroy();
    else if (!existsSync(file)) response.writeHead(404).end();
    else response.end(readFileSync(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const here = world(t, [DRIVER], { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  // Not in this process, which has to answer.
  await here.updateAside();
  const before = here.state();
  isUp = false;
  const { status, stderr } = await here.install('--yes');
  t.is(status, 14);
  t.regex(stderr, /could not be fetched: .*Failed to fetch/);
  t.is(here.state(), before);
  isUp = true;
  t.is((await here.install('--yes')).status, 0);
});

real('what would take other packages away is refused beforehand', async t => {
  const here = world(t, [
    { ...DRIVER, fields: claims({ Conflicts: 'precious' }) },
    { name: 'precious', version: '1' },
  ]);
  here.update();
  here.installByHand('precious');
  const { status, stderr } = await here.install('--yes');
  t.is(status, 1);
  t.regex(stderr, /it would take other packages away: precious|cannot install it/);
  t.deepEqual(await here.transactions(), []);
});

real('a driver that others need by now is not taken away with them', async t => {
  const here = world(t, [DRIVER, { name: 'acme-panel', version: '1', fields: { Depends: DRIVER.name } }]);
  here.update();
  t.is((await here.install('--yes')).status, 0);
  here.installByHand('acme-panel');
  const { status, stdout } = await here.usher('driver', 'remove', DRIVER.name);
  t.is(status, 14);
  t.regex(stdout, /other packages need them by now: acme-panel would go, too/);
  t.true(existsSync(path.join(here.root, 'opt/acme/readme')));
});

real('when a script of the package fails it is said, and taken back on request', async t => {
  const here = world(t, [{ ...DRIVER, scripts: { preinst: '#!/nonexistent/sh\nexit 1\n' } }]);
  here.update();
  const before = here.state();
  const kept = await here.install('--yes');
  t.is(kept.status, 14);
  t.regex(
    kept.stderr,
    /it could not install it: the package manager could not install it: .*\n(?:.*\n)*.*usher driver remove \S+ takes it back/,
  );
  t.like((await here.transactions())[0], { state: 'failed', trouble: { step: 'install' } });
  t.is((await here.usher('driver', 'remove', DRIVER.name)).status, 0);
  t.is(here.state(), before);
});

real('an installation that was cut off at any step is brought to an end at the next start', async t => {
  for (const step of ['fetch', 'install', 'build', 'index', 'load', 'verify']) {
    const here = world(t, [DRIVER]);
    here.update();
    await here.usher('depmod', RELEASE);
    const before = here.state();
    t.is((await here.install('--yes')).status, 0);
    const whole = here.state();
    const [file = ''] = globSync('*.json', { cwd: path.join(here.root, 'var/lib/usherd/drivers') });
    const journal = path.join(here.root, 'var/lib/usherd/drivers', file);
    const { endedAt: _, ...rest } = JSON.parse(readFileSync(journal, 'utf8')) as Record<string, unknown>;
    // A loss of power leaves what the journal said last; at `fetch`, and before dpkg had begun, no package is there.
    if (step === 'fetch') here.purgeByHand(DRIVER.name);
    writeFileSync(journal, JSON.stringify({ ...rest, state: 'open', step }));
    const { status, stderr } = await here.usher('driver', 'recover');
    t.is(status, 0, `${step}: ${stderr}`);
    const [told] = await here.transactions();
    t.is(told?.state, step === 'fetch' ? 'undone' : 'installed', step);
    t.not(told?.recoveredAt, undefined);
    t.is(here.state(), step === 'fetch' ? before : whole, step);
  }
});

real('one that was cut off before dpkg had unpacked it is taken back', async t => {
  const here = world(t, [DRIVER]);
  here.update();
  await here.usher('depmod', RELEASE);
  const before = here.state();
  t.is((await here.install('--yes')).status, 0);
  const [file = ''] = globSync('*.json', { cwd: path.join(here.root, 'var/lib/usherd/drivers') });
  const journal = path.join(here.root, 'var/lib/usherd/drivers', file);
  const record = JSON.parse(readFileSync(journal, 'utf8')) as Record<string, unknown>;
  here.purgeByHand(DRIVER.name);
  writeFileSync(journal, JSON.stringify({ ...record, state: 'open', step: 'install' }));
  t.is((await here.usher('driver', 'recover')).status, 0);
  t.like((await here.transactions())[0], { state: 'undone' });
  t.is(here.state(), before);
});
