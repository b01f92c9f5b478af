import { testModules } from './test-modules.ts';
import { stageAptRoot } from './apt-root.ts';
import type { MadePackage } from '../support/apt-world.ts';
import { jsonLines } from '../support/usher.ts';
import type { Guest } from './guest.ts';
import { guestFor } from './scenario.ts';
import type { DebianKernel } from './debian-kernel.ts';

/** QEMU's device for exercises, which no driver of the kernel claims. */
const EDU = 'pci:v00001234d000011E8sv*sd*bc*sc*i*';
/** Room of the disk that is full, in MiB; the package that does not fit has more. */
const SMALL_MIB = 1;

/** Of the kernel's modules, the folders with most of them: each installation has the tree indexed, and none of these is asked about. */
const NOT_INDEXED = [
  'net',
  'sound',
  ...'comedi hid hwmon iio input media net platform scsi usb'.split(' ').map(name => `drivers/${name}`),
];

/** What usher driver search --json tells, as far as it is looked at. */
interface Search {
  readonly chosen: string | null;
  readonly candidates: readonly {
    readonly id: string;
    readonly flags: readonly string[];
    readonly obstacles: readonly string[];
  }[];
}

/** What usher driver list --json tells, as far as it is looked at. */
interface Installed {
  readonly id: string;
  readonly state: string;
  readonly driver?: string;
  readonly modules: readonly string[];
  readonly taint?: { readonly letters: string };
  readonly trouble?: { readonly step: string; readonly message: string; readonly advice: readonly string[] };
  readonly consent: { readonly how: string; readonly uid: number };
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly origin: string;
    readonly sha256: string;
  }[];
}

const scenario = await guestFor({
  withoutFolders: NOT_INDEXED,
  files: { 'etc/usherd/plugins/vendor-driver.toml': '' },
  prepareRoot: async (root, kernel) => stageAptRoot(root, { packages: await packages(kernel) }),
});

async function packages(kernel: DebianKernel): Promise<readonly MadePackage[]> {
  const module = (await testModules(kernel))['usherd_closed.ko'] ?? '';
  const { release } = kernel;
  const claims = (name: string): Record<string, string> => ({
    Section: 'non-free/kernel',
    Modaliases: `${name}(${EDU})`,
  });
  const driver = { [`lib/modules/${release}/updates/acme/usherd_closed.ko`]: { from: module } };
  return [
    {
      name: `acme-edu-modules-${release}`,
      version: '1.2-3',
      fields: { ...claims('usherd_closed'), Depends: 'acme-edu-common' },
      files: driver,
    },
    {
      name: 'acme-edu-common',
      version: '1.2-3',
      fields: { Section: 'non-free/kernel' },
      files: { 'etc/modprobe.d/acme.conf': '# of the vendor\n' },
    },
    { name: 'decoy-modules', version: '99', fields: { Modaliases: 'decoy(pci:v*d*sv*sd*bc*sc*i*)' } },
    { name: 'acme-edu-modules-5.10.0-1-amd64', version: '9', fields: claims('usherd_closed') },
    {
      name: 'acme-old-modules',
      version: '0.1',
      fields: claims('usherd_closed'),
      files: { 'lib/modules/5.10.0-1-amd64/updates/usherd_closed.ko': { from: module } },
    },
    {
      name: 'acme-slow-modules',
      version: '0.2',
      fields: claims('usherd_closed'),
      files: driver,
      scripts: {
        postinst: '#!/bin/sh\nif [ -e /run/power-fails ]; then touch /run/in-postinst; sleep 600; fi\nexit 0\n',
      },
    },
    {
      name: 'acme-big-modules',
      version: '0.3',
      fields: claims('usherd_closed'),
      files: { ...driver, 'opt/acme/firmware.bin': '0123456789abcdef'.repeat(3 * SMALL_MIB * 65_536) },
    },
  ];
}

/** Plugs the device in, and tells its devpath. */
async function plugEdu(guest: Guest): Promise<string> {
  await guest.plug('edu');
  const find = 'for d in /sys/bus/pci/devices/*; do grep -q 0x11e8 $d/device && readlink -f $d; done';
  await guest.until(`[ -n "$(${find})" ]`);
  return (await guest.run(find)).replace(/^\/sys/, '');
}

async function installed(guest: Guest): Promise<readonly Installed[]> {
  return jsonLines<Installed>(await guest.try('usher driver list --all --json'));
}

/** What must be as before once a driver is gone: packages, module files, and what the indexes say of the device. */
function stateOf(guest: Guest): Promise<string> {
  return guest.run(`dpkg-query -W 2>/dev/null; find /lib/modules -name 'usherd_*'; ls /etc/modprobe.d
    cat /lib/modules/$(uname -r)/modules.dep /lib/modules/$(uname -r)/modules.alias | md5sum; grep usherd /proc/modules || true`);
}

let devpath = '';

scenario('a device that no driver claims: search ranks the exact one first, and flags a wildcard', async (t, guest) => {
  await guest.run('apt-get update 2>&1');
  // What the machine began with is not of interest here, and takes an emulated processor a minute.
  await guest.startUsherd('--no-coldplug');
  devpath = await plugEdu(guest);
  const release = guest.kernel.release;
  const [search] = jsonLines<Search>(await guest.try(`usher driver search ${devpath} --json`));
  t.is(search?.chosen, `acme-edu-modules-${release}`);
  t.deepEqual(
    search?.candidates.map(({ id, flags, obstacles }) => [id, flags.length, obstacles.length]),
    [
      [`acme-edu-modules-${release}`, 0, 0],
      ['acme-big-modules', 0, 0],
      ['acme-slow-modules', 0, 0],
      ['acme-old-modules', 0, 0],
      ['decoy-modules', 1, 0],
      ['acme-edu-modules-5.10.0-1-amd64', 0, 1],
    ],
  );
});

scenario('the plugin proposes it: in the record, and among what waits', async (t, guest) => {
  await guest.until(`grep -q "plugin vendor-driver: ${devpath}" /run/usherd.log`);
  const waiting = jsonLines<{ readonly proposed?: { readonly devpath: string; readonly command: string } }>(
    await guest.try('usher pending --json'),
  );
  const [address] = devpath.split('/').slice(-1);
  t.like(waiting.at(-1)?.proposed, { devpath, command: `usher driver install ${address}` });
  t.true((await guest.incidents()).some(({ incident }) => incident.kind === 'driver-proposed'));
});

scenario('nothing is installed without consent', async (t, guest) => {
  const before = await stateOf(guest);
  const { status, stderr } = await guest.try(`usher driver install ${devpath}`);
  t.is(status, 15, stderr);
  t.is(await stateOf(guest), before);
  t.deepEqual(await installed(guest), []);
});

scenario(
  'installing through apt and dpkg ends with the device bound, and all of it in the record',
  async (t, guest) => {
    const before = await stateOf(guest);
    const { status, stdout, stderr } = await guest.try(`usher driver install ${devpath} --yes`);
    t.is(status, 0, stdout + stderr);
    const link = await guest.run(`readlink /sys${devpath}/driver`);
    t.true(link.endsWith('/usherd_closed'), link);
    const [record] = await installed(guest);
    t.like(record, {
      state: 'bound',
      driver: 'usherd_closed',
      modules: ['usherd_closed'],
      consent: { how: '--yes', uid: 0 },
    });
    t.regex(record?.taint?.letters ?? '', /P.*O/);
    t.deepEqual(
      record?.packages.map(({ name, version, origin, sha256 }) => [name, version, origin, sha256.length]).toSorted(),
      [
        ['acme-edu-common', '1.2-3', 'Test Vendor', 64],
        [`acme-edu-modules-${guest.kernel.release}`, '1.2-3', 'Test Vendor', 64],
      ],
    );
    const steps = (await guest.incidents()).flatMap(({ incident: { kind, step, state } }) =>
      kind === 'driver-transaction' ? [`${step} ${state}`] : [],
    );
    t.deepEqual(steps.toSorted(), [
      'build open',
      'fetch open',
      'index open',
      'install open',
      'load open',
      'verify bound',
      'verify open',
    ]);

    const removed = await guest.try(`usher driver remove ${devpath}`);
    t.is(removed.status, 0, removed.stderr);
    t.regex(removed.stdout, /stays tainted/);
    t.is(await stateOf(guest), before);
    t.is((await guest.try(`readlink /sys${devpath}/driver`)).status, 1);
    t.deepEqual(
      (await installed(guest)).map(({ state }) => state),
      ['removed'],
    );
  },
);

scenario(
  'a package for another kernel that does not say so fails when no module claims the device, and is taken back',
  async (t, guest) => {
    const before = await stateOf(guest);
    const { status, stderr } = await guest.try(
      `usher driver install ${devpath} acme-old-modules --yes --undo-on-failure`,
    );
    t.is(status, 14);
    t.regex(stderr, /no module in the tree of \S+ claims pci:v00001234/);
    t.is(await stateOf(guest), before);
    t.like((await installed(guest)).at(-1), { state: 'undone', trouble: { step: 'load' } });
  },
);

scenario('one that says it is for another kernel is not installed at all', async (t, guest) => {
  const { status, stderr } = await guest.try(`usher driver install ${devpath} acme-edu-modules-5.10.0-1-amd64 --yes`);
  t.is(status, 1);
  t.regex(stderr, /its modules are for 5\.10\.0-1-amd64, this kernel is/);
});

scenario('a full disk in the middle of dpkg is told, and what was unpacked is taken back', async (t, guest) => {
  const before = await stateOf(guest);
  await guest.run(`mkdir -p /opt/acme && mount -t tmpfs -o size=${SMALL_MIB}m small /opt/acme`);
  const { status, stderr } = await guest.try(
    `usher driver install ${devpath} acme-big-modules --yes --undo-on-failure`,
  );
  await guest.run('umount /opt/acme');
  t.is(status, 14);
  t.regex(stderr, /No space left on device/);
  t.is(await stateOf(guest), before);
  t.like((await installed(guest)).at(-1), { state: 'undone', trouble: { step: 'install' } });
});

scenario('an installation that is cut off in the middle of dpkg is finished at the next start', async (t, guest) => {
  await guest.run(`touch /run/power-fails
    setsid usher driver install ${devpath} acme-slow-modules --yes >/run/cut.log 2>&1 &`);
  await guest.until('[ -e /run/in-postinst ]');
  await guest.run(`for pid in $(ps -o pid,args | grep -E 'driver install|apt-get|dpkg|postinst|sleep 600' | grep -v grep | awk '{print $1}'); do
      kill -9 $pid 2>/dev/null; done; rm /run/power-fails; true`);
  t.like((await installed(guest)).at(-1), { state: 'open', trouble: undefined });
  const { status, stdout, stderr } = await guest.try('usher driver recover');
  t.is(status, 0, stdout + stderr);
  t.like((await installed(guest)).at(-1), { state: 'bound', driver: 'usherd_closed' });
});

scenario('a driver that does not get the device from the one that has it is not said to drive it', async (t, guest) => {
  const { status, stderr } = await guest.try(
    `usher driver install ${devpath} acme-old-modules --yes --undo-on-failure`,
  );
  t.is(status, 14);
  t.regex(stderr, /is still driven by usherd_closed/);
  t.like((await installed(guest)).at(-1), { state: 'undone', trouble: { step: 'verify' } });
  t.true((await guest.run(`readlink /sys${devpath}/driver`)).endsWith('/usherd_closed'));
  await guest.run('usher driver remove acme-slow-modules');
});

scenario(
  'a kernel that takes only signed modules: what it said is explained, with the steps to enrol a key',
  async (t, guest) => {
    await guest.run('echo Y >/sys/module/module/parameters/sig_enforce');
    const { status, stderr } = await guest.try(`usher driver install ${devpath} --yes --undo-on-failure`);
    t.is(status, 14);
    t.regex(stderr, /the kernel refused usherd_closed: EKEYREJECTED/);
    t.regex(stderr, /Key was rejected by service/);
    t.regex(stderr, /mokutil --import/);
    t.like((await installed(guest)).at(-1), { state: 'undone', trouble: { step: 'load' } });
  },
);
