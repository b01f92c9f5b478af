import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { whyNoRepository, type MadePackage } from '../support/apt-world.ts';
import { dependencyOf, Unavailable } from '../support/debian-packages.ts';
import { claims, DEVICE, DriverWorld } from '../support/driver-world.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { kernelHeaders } from '../vm/test-modules.ts';

/** Fetching headers from a slow mirror, and building a module twice, takes some minutes. */
const BUILD_MAX_MS = 9 * 60_000;

let headers = '';
let release = '';
let missing = whyNoRepository() ?? whyNoDkms();
try {
  if (missing === undefined) {
    release = dependencyOf('linux-headers-amd64', 'linux-headers-').slice('linux-headers-'.length);
    headers = await kernelHeaders(release);
  }
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  missing = error.message;
}
const real = testUnless(missing, { isSerial: true });

/** Debian's dkms is installed when it may be. */
function whyNoDkms(): string | undefined {
  const has = (): boolean => ['/usr/sbin/dkms', '/usr/bin/dkms'].some(file => existsSync(file));
  if (!has()) spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'dkms']);
  return has() ? undefined : 'not installed: dkms (apt-get install --no-install-recommends dkms)';
}

/** A package of sources for DKMS, with a driver that builds, or one that does not. */
function dkmsPackage(version: string, source: string): MadePackage {
  const folder = `usr/src/acme-edu-${version}`;
  const conf = [
    'PACKAGE_NAME="acme-edu"',
    `PACKAGE_VERSION="${version}"`,
    'BUILT_MODULE_NAME[0]="usherd_closed"',
    'DEST_MODULE_LOCATION[0]="/updates/dkms"',
    // dkms adds KERNELRELEASE=… behind it, and its default names the kernel that runs.
    'MAKE[0]="make -C ${kernel_source_dir} M=${dkms_tree}/${PACKAGE_NAME}/${PACKAGE_VERSION}/build modules"',
    'CLEAN="true"',
    'AUTOINSTALL="yes"',
    '',
  ].join('\n');
  return {
    name: 'acme-edu-dkms',
    version,
    fields: claims(),
    files: {
      [`${folder}/dkms.conf`]: conf,
      [`${folder}/Makefile`]: 'obj-m := usherd_closed.o\n',
      [`${folder}/usherd_closed.c`]: source,
    },
  };
}

const SOURCE = readFileSync(path.join(import.meta.dirname, '../vm/modules/usherd_closed.c'), 'utf8');

function dkmsWorld(source: string): DriverWorld {
  const here = new DriverWorld([dkmsPackage('1.0', source)], { release });
  here.put('usr/src/.keep', '');
  symlinkSync(
    path.join(headers, `usr/src/linux-headers-${release}`),
    path.join(here.root, `usr/src/linux-headers-${release}`),
  );
  here.put('var/lib/dkms/.keep', '');
  here.update();
  return here;
}

real('a package of DKMS is built by real dkms against the headers, indexed, and claims the device', async t => {
  t.timeout(BUILD_MAX_MS);
  const here = dkmsWorld(SOURCE);
  t.teardown(() => here.remove());
  const { stdout: found } = await here.usher('driver', 'search', DEVICE);
  t.regex(found, /built here by DKMS.*; the headers are there/);
  const { status, stderr } = await here.install('--yes');
  t.is(status, 0, stderr);
  t.deepEqual(
    globSync(`lib/modules/${release}/updates/dkms/*`, { cwd: here.root }).map(name => path.basename(name)),
    ['usherd_closed.ko'],
  );
  const { stdout: why } = await here.usher('driver', 'search', DEVICE);
  t.regex(why, /usherd_closed \(module, licence Proprietary\)/);
  t.like((await here.transactions())[0], { state: 'installed' });
  t.is((await here.usher('driver', 'remove', DEVICE)).status, 0);
  t.deepEqual(globSync(`lib/modules/${release}/**/*.ko`, { cwd: here.root }), []);
});

real('when a build fails its log is kept, told, and all is taken back', async t => {
  t.timeout(BUILD_MAX_MS);
  const here = dkmsWorld(`#error this vendor does not know this kernel\n${SOURCE}`);
  t.teardown(() => here.remove());
  const { status, stderr } = await here.install('--yes', '--undo-on-failure');
  t.is(status, 14);
  t.regex(stderr, /DKMS could not build acme-edu 1\.0 for \d/);
  const [told] = await here.transactions();
  t.like(told, { state: 'undone', trouble: { step: 'build' } });
  const log = told?.trouble?.log ?? '';
  t.regex(stderr, new RegExp(`all the build said is in ${log}`));
  t.regex(readFileSync(log, 'utf8'), /this vendor does not know this kernel/);
  t.deepEqual(globSync('usr/src/acme-edu-*', { cwd: here.root }), []);
});
