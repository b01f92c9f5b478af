import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import {
  changeLink,
  deviceNumber,
  setPermissions,
  setStaticPermissions,
} from '../../../core/pipeline/6-load/device-nodes.ts';
import { LinkClaims } from '../../../core/pipeline/6-load/link-claims.ts';
import { NodeKeeper } from '../../../core/pipeline/6-load/node-keeper.ts';
import { NodeWatch } from '../../../core/pipeline/6-load/node-watch.ts';
import { isInterfaceName } from '../../../core/pipeline/6-load/rename-interface.ts';
import { staticNodes } from '../../../core/pipeline/4-policy/rules/static-nodes.ts';
import { whyNoVeth } from '../../support/machine.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { makeRuleWorld, ruleSetOf } from '../../support/rule-world.ts';
import { testUnless } from '../../support/skip-aloud.ts';

function devRoot(t: ExecutionContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'usherd-dev-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const whyNoNodes = process.getuid?.() === 0 ? undefined : 'root is needed to make device nodes';

test('the highest priority has the link, who came first keeps it, and the next has it when that one goes', t => {
  const claims = new LinkClaims();
  t.deepEqual(claims.claim('b8:0', 'sda', ['disk/x'], 0), [{ link: 'disk/x', node: 'sda', before: undefined }]);
  t.deepEqual(claims.claim('b8:16', 'sdb', ['disk/x'], 0), []);
  t.deepEqual(claims.claim('b8:32', 'sdc', ['disk/x'], -100), []);
  t.deepEqual(claims.claim('b8:48', 'sdd', ['disk/x'], 10), [{ link: 'disk/x', node: 'sdd', before: 'sda' }]);
  t.deepEqual(claims.release('b8:48'), [{ link: 'disk/x', node: 'sda', before: 'sdd' }]);
  t.deepEqual(claims.release('b8:0'), [{ link: 'disk/x', node: 'sdb', before: 'sda' }]);
  t.deepEqual(claims.release('b8:16'), [{ link: 'disk/x', node: 'sdc', before: 'sdb' }]);
  t.deepEqual(claims.release('b8:32'), [{ link: 'disk/x', node: undefined, before: 'sdc' }]);
  t.deepEqual(claims.release('b8:32'), []);
});

const step = fc.record({
  device: fc.nat(3),
  links: fc.subarray(['a', 'b', 'c/d', 'c/e']),
  priority: fc.integer({ min: -2, max: 2 }),
});

test('whatever comes and goes in whatever order, links on disk lead to who has the highest priority, and none is left over', t => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), steps => {
      const root = mkdtempSync(path.join(tmpdir(), 'usherd-dev-'));
      const claims = new LinkClaims();
      const wants = new Map<number, { links: readonly string[]; priority: number }>();
      for (const { device, links, priority } of steps) {
        wants.set(device, { links, priority });
        for (const change of claims.claim(`b8:${device}`, `sd${device}`, links, priority))
          t.is(changeLink(root, change), undefined);
      }
      for (const link of ['a', 'b', 'c/d', 'c/e']) {
        const best = Math.max(
          ...[...wants.values()].filter(want => want.links.includes(link)).map(({ priority }) => priority),
        );
        const file = path.join(root, link);
        if (best === -Infinity) t.false(existsSync(file) || lstatSync(file, { throwIfNoEntry: false }) !== undefined);
        else {
          const device = Number(/sd(\d)$/.exec(readlinkSync(file))?.[1]);
          t.deepEqual([wants.get(device)?.priority, wants.get(device)?.links.includes(link)], [best, true]);
        }
      }
      if (![...wants.values()].some(({ links }) => links.some(link => link.startsWith('c/'))))
        t.false(existsSync(path.join(root, 'c')));
      rmSync(root, { recursive: true });
    }),
    { numRuns: 60 },
  );
});

test('a link is relative, replaces links only, and never leaves the folder', t => {
  const root = devRoot(t);
  t.is(changeLink(root, { link: 'disk/by-id/x', node: 'sda', before: undefined }), undefined);
  t.is(readlinkSync(path.join(root, 'disk/by-id/x')), '../../sda');
  writeFileSync(path.join(root, 'file'), 'kept');
  mkdirSync(path.join(root, 'elsewhere'));
  symlinkSync('/tmp', path.join(root, 'out'));
  const refused = ['file', '../x', '/etc/x', 'a/../../x', 'out/x', 'file/x', ''].map(link =>
    changeLink(root, { link, node: 'sda', before: undefined }),
  );
  t.true(refused.every(refusal => refusal !== undefined));
  t.true(lstatSync(path.join(root, 'file')).isFile());
  // A link somebody else has made since is not ours to take away.
  rmSync(path.join(root, 'disk/by-id/x'));
  symlinkSync('../../sdz', path.join(root, 'disk/by-id/x'));
  t.is(changeLink(root, { link: 'disk/by-id/x', node: undefined, before: 'sda' }), undefined);
  t.is(readlinkSync(path.join(root, 'disk/by-id/x')), '../../sdz');
});

test('numbers of devices are put together as stat tells them', t => {
  const { rdev } = lstatSync('/dev/null');
  t.is(rdev, deviceNumber(1, 3));
  t.is(deviceNumber(259, 70_000), Number((70_000n & 0xffn) | (259n << 8n) | ((70_000n & 0xffffff00n) << 12n)));
});

testUnless(whyNoNodes)('permissions are given to the node with that number only', t => {
  const root = devRoot(t);
  execFileSync('mknod', [path.join(root, 'null'), 'c', '1', '3']);
  const wanted = { node: 'null', isBlock: false, major: 1, minor: 3, owner: 0, group: 6, mode: 0o640 };
  t.is(setPermissions(root, wanted), undefined);
  const { mode, gid } = lstatSync(path.join(root, 'null'));
  t.deepEqual([mode & 0o7777, gid], [0o640, 6]);
  t.regex(setPermissions(root, { ...wanted, minor: 5 }) ?? '', /is not the character device 1:5 any more/);
  t.regex(setPermissions(root, { ...wanted, isBlock: true }) ?? '', /is not the block device/);
  symlinkSync('/dev/zero', path.join(root, 'link'));
  t.regex(setPermissions(root, { ...wanted, node: 'link' }) ?? '', /is not the character device/);
  t.regex(setPermissions(root, { ...wanted, node: '../x' }) ?? '', /outside/);
});

const about = (action: 'add' | 'remove', name: string) => ({ action, devpath: `/devices/${name}` as Devpath });

/** Rules, and what /dev has once two disks are there, and once the first is gone. */
const CASES = [
  {
    says: 'a negative priority gives way to none',
    rules: 'KERNEL=="sda", SYMLINK+="first", OPTIONS+="link_priority=-100"\nKERNEL=="sdb", SYMLINK+="first"',
    both: { first: 'sdb' },
    left: { first: 'sdb' },
  },
  {
    says: 'a positive priority beats who was first, and gives it back by going',
    rules: 'SYMLINK+="first"\nKERNEL=="sda", OPTIONS+="link_priority=50"',
    both: { first: 'sda' },
    left: { first: 'sdb' },
  },
  {
    says: 'each device has its own links, and takes them along',
    rules: 'SYMLINK+="disk/by-name/$kernel"',
    both: { 'disk/by-name/sda': '../../sda', 'disk/by-name/sdb': '../../sdb' },
    left: { 'disk/by-name/sdb': '../../sdb' },
  },
];

for (const { says, rules, both, left } of CASES) {
  testUnless(whyNoNodes)(says, async t => {
    const disk = (name: string, minor: number) => ({
      devpath: `/devices/${name}`,
      subsystem: 'class/block',
      uevent: `MAJOR=8\nMINOR=${minor}\nDEVNAME=${name}\nDEVTYPE=disk\n`,
    });
    const world = makeRuleWorld(t, [disk('sda', 0), disk('sdb', 16)]);
    const { dev } = world.roots;
    mkdirSync(dev, { recursive: true });
    for (const [name, minor] of [
      ['sda', '0'],
      ['sdb', '16'],
    ] as const)
      execFileSync('mknod', [path.join(dev, name), 'b', '8', minor]);
    const keeper = new NodeKeeper(world.roots);
    const links = (names: Readonly<Record<string, string>>): Record<string, string | undefined> =>
      Object.fromEntries(
        Object.keys({ ...both, ...names }).map(name => [
          name,
          lstatSync(path.join(dev, name), { throwIfNoEntry: false }) && readlinkSync(path.join(dev, name)),
        ]),
      );
    t.false(ruleSetOf(rules).isEmpty);
    for (const name of ['sda', 'sdb'])
      t.deepEqual(keeper.apply(about('add', name), await world.apply(`GROUP="6"\n${rules}`, `/devices/${name}`)), []);
    t.deepEqual(links(both), { ...both });
    t.is(lstatSync(path.join(dev, 'sda')).mode & 0o7777, 0o660);
    t.is(readlinkSync(path.join(dev, 'block/8:0')), '../sda');
    t.deepEqual(
      keeper.apply(about('remove', 'sda'), await world.apply(rules, '/devices/sda', { action: 'remove' })),
      [],
    );
    t.deepEqual(links(left), { ...Object.fromEntries(Object.keys(both).map(name => [name, undefined])), ...left });
  });
}

testUnless(whyNoNodes)('a node gets the labels of the security modules there are, and others are told', t => {
  const root = devRoot(t);
  execFileSync('mknod', [path.join(root, 'null'), 'c', '1', '3']);
  const label = (module: string): string | undefined =>
    setPermissions(root, {
      node: 'null',
      isBlock: false,
      major: 1,
      minor: 3,
      seclabels: new Map([[module, 'system_u:object_r:null_device_t:s0']]),
    });
  t.is(label('apparmor'), 'SECLABEL{apparmor}: there are selinux and smack');
  const refused = label('selinux');
  if (refused !== undefined) {
    // A file system without such attributes says so.
    t.regex(refused, /did not take the label .* of selinux: (EOPNOTSUPP|ENOTSUP|EPERM)/);
    return;
  }
  const shown = execFileSync('python3', ['-c', SHOW_LABEL, path.join(root, 'null')], { encoding: 'utf8' });
  t.is(shown.trim(), 'system_u:object_r:null_device_t:s0');
});

const SHOW_LABEL = 'import os, sys; print(os.getxattr(sys.argv[1], "security.selinux").decode())';

testUnless(whyNoNodes)('a node that is there without its device gets what its rule says', t => {
  const root = devRoot(t);
  execFileSync('mknod', [path.join(root, 'uinput'), 'c', '10', '223']);
  writeFileSync(path.join(root, 'file'), '');
  const context = { userId: () => undefined, groupId: (name: string) => (name === 'input' ? 6 : undefined) };
  const nodes = staticNodes(
    ruleSetOf(
      'SUBSYSTEM=="misc", KERNEL=="uinput", MODE="0660", GROUP="input", OPTIONS+="static_node=uinput"\n' +
        'KERNEL=="kvm", MODE="0666", OPTIONS+="static_node=kvm"\nKERNEL=="x", MODE="0666"\n',
    ),
    context,
  );
  t.deepEqual(nodes, [
    { node: 'uinput', group: 6, mode: 0o660 },
    { node: 'kvm', mode: 0o666 },
  ]);
  for (const node of nodes) t.is(setStaticPermissions(root, node), undefined);
  const { mode, gid } = lstatSync(path.join(root, 'uinput'));
  t.deepEqual([mode & 0o7777, gid], [0o660, 6]);
  t.regex(setStaticPermissions(root, { node: 'file', mode: 0o666 }) ?? '', /is no device node/);
  t.regex(setStaticPermissions(root, { node: '../x', mode: 0o666 }) ?? '', /outside/);
});

test('once somebody has written to a watched node, the kernel is asked for a change, and not after the device went', async t => {
  const root = devRoot(t);
  const folder = path.join(root, 'sys/devices/sda');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'uevent'), '');
  writeFileSync(path.join(root, 'sda'), '');
  const watch = new NodeWatch({ sys: path.join(root, 'sys'), dev: root });
  t.teardown(() => watch.close());
  const asked = (): string => readFileSync(path.join(folder, 'uevent'), 'utf8');
  t.is(watch.set('/devices/sda', 'sda', true), undefined);
  writeFileSync(path.join(root, 'sda'), 'new partition table');
  while (asked() !== 'change') await pause(50);
  writeFileSync(path.join(folder, 'uevent'), '');
  watch.set('/devices/sda', 'sda', false);
  writeFileSync(path.join(root, 'sda'), 'more');
  await pause(800);
  t.is(asked(), '');
  t.regex(watch.set('/devices/none', 'none', true) ?? '', /none cannot be watched/);
});

test('names of interfaces are told from what the kernel would not take', t => {
  t.deepEqual(['eth0', 'enp0s3', 'lan-1', 'x'.repeat(15)].map(isInterfaceName), Array(4).fill(true));
  const bad = ['', '.', '..', 'a/b', 'a b', 'a:b', 'eth%d', 'all', 'default', 'x'.repeat(16)];
  t.deepEqual(bad.map(isInterfaceName), Array(bad.length).fill(false));
});

testUnless(whyNoVeth())('an interface gets the name that rules say, and what is in the way is told', t => {
  const script = `
    import { nameInterface } from '${path.resolve(import.meta.dirname, '../../../core/pipeline/6-load/rename-interface.ts')}';
    console.log(JSON.stringify([nameInterface('lo', 'lo'), nameInterface('one', 'lan0'), nameInterface('two', 'lan0'), nameInterface('gone', 'x'), nameInterface('two', 'a/b')].map(said => said ?? null)));`;
  const make = 'ip link add one type veth peer name two';
  const words = ['-Urn', 'sh', '-c', `${make} && exec "$0" --input-type=module -e "$1"`, process.execPath, script];
  const { stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  t.deepEqual(JSON.parse(stdout === '' ? JSON.stringify(stderr) : stdout), [
    null,
    null,
    'two was not renamed to lan0: another interface has that name',
    'gone was not renamed to x: it is gone',
    '"a/b" is no name of an interface',
  ]);
});
