import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeFakeKernel } from '../support/fake-kernel.ts';
import { makeWorld } from '../support/module-world.ts';
import { runOurs } from '../support/run-tool.ts';
import { jsonLines, usher } from '../support/usher.ts';

const RELEASE = '6.1.0-test';

/** A machine made of files: a keyboard by usbhid, a disk with / by ahci, a link by e1000e, and modules that need each other. */
function makeMachine(t: ExecutionContext, files: Readonly<Record<string, string>> = {}): string {
  const { root } = makeWorld(t, {
    files: {
      [`lib/modules/${RELEASE}/modules.dep`]: [
        'hid.ko:',
        'usbhid.ko: hid.ko',
        'ahci.ko: libahci.ko',
        'libahci.ko:',
        'e1000e.ko:',
        'ext4.ko: jbd2.ko',
        'jbd2.ko:',
        'dccp_ipv4.ko: dccp.ko',
        'dccp.ko:',
        'soft.ko:',
        '',
      ].join('\n'),
      [`lib/modules/${RELEASE}/modules.alias`]: 'alias net-pf-2-proto-33 dccp_ipv4\nalias fs-ext4 ext4\n',
      [`lib/modules/${RELEASE}/modules.softdep`]: 'softdep soft pre: dccp\n',
      'proc/self/mountinfo': '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n',
      ...files,
    },
  });
  makeFakeKernel(
    root,
    ['hid', 'usbhid', 'ahci', 'libahci', 'e1000e', 'ext4', 'jbd2'].map(name => ({ name, refcnt: 1 })),
  );
  device(root, 'pci0/ahci0', { subsystem: 'pci', driver: 'ahci' });
  device(root, 'pci0/ahci0/sda/sda1', { subsystem: 'block' });
  device(root, 'pci0/nic0', { subsystem: 'pci', driver: 'e1000e' });
  device(root, 'pci0/nic0/net/eth0', { subsystem: 'net', operstate: 'up\n' });
  device(root, 'pci0/usb1/1-1:1.0', { subsystem: 'usb', driver: 'usbhid', modalias: 'usb:v046DpC31Cd6400\n' });
  device(root, 'pci0/usb1/1-1:1.0/input/input3', {
    subsystem: 'input',
    name: 'Logitech Keyboard\n',
    'capabilities/key': 'ff 8000 ffff fffffffffffffffe\n',
  });
  link(root, 'class/input/input3', 'devices/pci0/usb1/1-1:1.0/input/input3');
  link(root, 'class/net/eth0', 'devices/pci0/nic0/net/eth0');
  link(root, 'dev/block/8:1', 'devices/pci0/ahci0/sda/sda1');
  return root;
}

function device(root: string, place: string, { subsystem, driver, ...attributes }: Record<string, string>): void {
  const folder = path.join(root, 'sys/devices', place);
  mkdirSync(path.join(folder, 'capabilities'), { recursive: true });
  writeFileSync(path.join(folder, 'uevent'), `SUBSYSTEM=${subsystem ?? ''}\n`);
  for (const [name, text] of Object.entries(attributes)) writeFileSync(path.join(folder, name), text);
  if (driver === undefined) return;
  const bus = path.join(root, 'sys/bus', subsystem ?? '');
  const driverFolder = path.join(bus, 'drivers', driver);
  for (const made of [driverFolder, path.join(bus, 'devices')]) mkdirSync(made, { recursive: true });
  symlinkSync(path.relative(path.join(bus, 'devices'), folder), path.join(bus, 'devices', path.basename(place)));
  symlinkSync(bus, path.join(folder, 'subsystem'));
  if (!existsSync(path.join(driverFolder, 'module')))
    symlinkSync(path.join(root, 'sys/module', driver), path.join(driverFolder, 'module'));
  symlinkSync(driverFolder, path.join(folder, 'driver'));
}

function link(root: string, from: string, to: string): void {
  const place = path.join(root, 'sys', from);
  mkdirSync(path.dirname(place), { recursive: true });
  symlinkSync(path.join(root, 'sys', to), place);
}

const at = (root: string): readonly string[] => ['--root', root, '--kernel', RELEASE];

test('forbid says what would lose its driver, decides, and modprobe then refuses it in every role and says why', async t => {
  const root = makeMachine(t);
  const { status, stdout } = await usher('forbid', 'dccp', '--reason', 'CVE-2026-31431', ...at(root));
  t.deepEqual(
    [status, stdout],
    [
      0,
      [
        'forbid dccp',
        '  no device has its driver by it now',
        '  cannot be loaded any more, because they need it: dccp_ipv4',
        '  it is decided, and in the ledger',
        '',
      ].join('\n'),
    ],
  );
  for (const word of ['dccp', 'dccp_ipv4', 'net-pf-2-proto-33']) {
    const ran = await runOurs('modprobe', [word, ...at(root)]);
    t.deepEqual([ran.status, ran.stdout], [1, '']);
    t.regex(ran.stderr, /could not insert 'dccp(?:_ipv4)?': Operation not permitted/);
    t.regex(ran.stderr, /dccp is denied by administrator: forbidden by user 0: CVE-2026-31431; --override-policy/);
    t.regex(ran.stderr, /this is decided at .*\/var\/lib\/usherd\/decisions\.toml:5/);
  }
  const soft = await runOurs('modprobe', ['-nv', 'soft', ...at(root)]);
  t.is(soft.status, 0);
  t.regex(soft.stdout, /^insmod \S+\/soft\.ko \n$/);
  t.regex(soft.stderr, /dccp is left out: dccp is denied by administrator/);
  const file = path.join(root, 'dccp.ko');
  writeFileSync(file, 'any bytes');
  const insmod = await runOurs('insmod', [file, ...at(root)]);
  t.is(insmod.status, 1);
  t.regex(
    insmod.stderr,
    /could not insert module \S+: Operation not permitted\ninsmod: dccp is denied by administrator/,
  );
  const why = await runOurs('modprobe', ['--why', 'dccp_ipv4', ...at(root)]);
  t.deepEqual(why.stdout.split('\n')[1], '  dccp is denied by administrator: forbidden by user 0: CVE-2026-31431');
  const quiet = await runOurs('modprobe', ['-q', 'dccp', ...at(root)]);
  t.deepEqual([quiet.status, quiet.stdout, quiet.stderr], [1, '', '']);
});

test('permit takes a forbid back, and both are in the ledger with who and when', async t => {
  const root = makeMachine(t);
  await usher('forbid', 'dccp', '--reason', 'unused', ...at(root));
  t.is((await usher('permit', 'dccp', ...at(root))).status, 0);
  t.is((await usher('permit', 'dccp', ...at(root))).status, 1);
  t.is((await runOurs('modprobe', ['-nv', 'dccp', ...at(root)])).status, 0);
  const told = jsonLines<{ incident: { kind: string; change: string; uid: number; hash: string } }>(
    await usher('history', '--incidents', '--json', ...at(root)),
  );
  t.deepEqual(
    told.map(({ incident: { kind, change, uid } }) => [kind, change, uid]),
    [
      ['policy-changed', 'forbid dccp', 0],
      ['policy-changed', 'permit dccp', 0],
    ],
  );
});

test('the policy is passed over with a reason, which is in the ledger before anything is loaded', async t => {
  const root = makeMachine(t);
  await usher('forbid', 'dccp', '--reason', 'unused', ...at(root));
  const ran = await runOurs('modprobe', ['-nv', 'dccp_ipv4', '--override-policy', 'a test', ...at(root)]);
  t.regex(ran.stdout, /^insmod \S+dccp\.ko \ninsmod \S+dccp_ipv4\.ko \n$/);
  const told = jsonLines<{ incident: object }>(await usher('history', '--incidents', '--json', ...at(root)));
  t.deepEqual(told.at(-1)?.incident, {
    kind: 'policy-overridden',
    uid: 0,
    modules: ['dccp', 'dccp_ipv4'],
    reason: 'a test',
    refusal: 'dccp is denied by administrator: forbidden by user 0: unused',
  });
  t.like(jsonLines<object>(await usher('policy', 'show', '--json', ...at(root)))[0], { overrides: 1 });
});

for (const [module, kind, sentence] of [
  ['hid', 'keyboard', 'the only keyboard would not come up again: Logitech Keyboard needs usbhid'],
  ['libahci', 'disk', 'the root disk would not come up again: /dev/sda1 needs ahci'],
  ['jbd2', 'file system', 'the root disk would not come up again: /dev/sda1 needs ext4'],
  ['e1000e', 'link', 'the only network link would not come up again: eth0 needs e1000e'],
  ['usb:v046D*', 'keyboard by its alias', 'the only keyboard would not come up again: Logitech Keyboard needs usbhid'],
] as const) {
  test(`what would cut off the machine's ${kind} is refused unless forced, and forcing is recorded`, async t => {
    const root = makeMachine(t);
    const words = ['forbid', module, '--reason', 'x', ...at(root)];
    const refused = await usher(...words);
    t.deepEqual(
      [refused.status, refused.stderr.split('\n')[0]],
      [12, `usher: forbid ${module} is refused: ${sentence}`],
    );
    t.false(existsSync(path.join(root, 'var/lib/usherd/decisions.toml')));
    t.is((await usher(...words, '--force')).status, 0);
    const [told] = jsonLines<{ incident: { forced?: readonly string[] } }>(
      await usher('history', '--incidents', '--json', ...at(root)),
    );
    t.deepEqual(told?.incident.forced, [sentence]);
  });
}

test('a keyboard may go as long as another stays', async t => {
  const root = makeMachine(t);
  device(root, 'platform/i8042/serio0/input/input1', {
    subsystem: 'input',
    name: 'AT Keyboard\n',
    'capabilities/key': 'fffffffffffffffe\n',
  });
  link(root, 'class/input/input1', 'devices/platform/i8042/serio0/input/input1');
  const { status, stdout } = await usher('forbid', 'hid', '--reason', 'x', '--json', ...at(root));
  t.is(status, 0);
  t.like(JSON.parse(stdout), {
    isChanged: true,
    lockOut: [],
    modules: ['usbhid'],
    devices: [{ devpath: '/devices/pci0/usb1/1-1:1.0', driver: 'usbhid', module: 'usbhid' }],
  });
});

test('a dry run changes nothing, and a forbid without a reason is not made', async t => {
  const root = makeMachine(t);
  t.is((await usher('forbid', 'hid', '--dry-run', ...at(root))).status, 0);
  t.is((await usher('forbid', 'dccp', ...at(root))).status, 2);
  t.false(existsSync(path.join(root, 'var/lib/usherd/decisions.toml')));
});

test('a change on trial stands in the file with its deadline, and confirm makes it stay', async t => {
  const root = makeMachine(t);
  const file = path.join(root, 'var/lib/usherd/decisions.toml');
  const tried = await usher('policy', 'try', 'forbid', 'dccp', '--reason', 'x', '--minutes', '10', ...at(root));
  t.is(tried.status, 0);
  t.regex(readFileSync(file, 'utf8'), /^trial = \{ until = \S+Z, boot = "unknown" \}$/m);
  t.is((await runOurs('modprobe', ['-n', 'dccp', ...at(root)])).status, 1);
  writeFileSync(file, readFileSync(file, 'utf8').replace('boot = "unknown"', 'boot = "another"'));
  t.is((await runOurs('modprobe', ['-n', 'dccp', ...at(root)])).status, 0);
  writeFileSync(file, readFileSync(file, 'utf8').replace('boot = "another"', 'boot = "unknown"'));
  t.is((await usher('policy', 'confirm', ...at(root))).status, 0);
  t.false(readFileSync(file, 'utf8').includes('trial'));
  t.is((await usher('policy', 'confirm', ...at(root))).status, 1);
});

test('a damaged file still forbids what can be read of it, and no verb writes over it', async t => {
  const root = makeMachine(t, {
    'var/lib/usherd/decisions.toml': '[[forbid]]\nmodule = "dccp"\n[[forbid]]\nmodule = "oops\n',
  });
  const ran = await runOurs('modprobe', ['dccp', ...at(root)]);
  t.is(ran.status, 1);
  t.regex(ran.stderr, /decisions\.toml:4:15: not TOML/);
  const refused = await usher('permit', 'dccp', ...at(root));
  t.is(refused.status, 5);
  t.regex(refused.stderr, /decisions\.toml:4: not TOML.*changing it would lose what is written there/);
});

test('with deny-unmatched modprobe by name is denied and says so, but for what allow_requests names', async t => {
  const root = makeMachine(t, {
    'etc/usherd/usherd.toml': '[policy]\ndefault = "deny-unmatched"\nallow_requests = ["fs-*", "soft"]\n',
  });
  const denied = await runOurs('modprobe', ['dccp', ...at(root)]);
  t.is(denied.status, 1);
  t.regex(
    denied.stderr,
    /dccp is denied by usherd\.toml: default is "deny-unmatched": no device asks for it, user \d+ does/,
  );
  for (const word of ['fs-ext4', 'soft']) t.is((await runOurs('modprobe', ['-n', word, ...at(root)])).status, 0);
  const shown = jsonLines<{ settings: object }>(await usher('policy', 'show', '--json', ...at(root)));
  t.deepEqual(shown[0]?.settings, {
    default: 'deny-unmatched',
    allowRequests: ['fs-*', 'soft'],
    hold: [],
    usbGate: 'off',
  });
});
