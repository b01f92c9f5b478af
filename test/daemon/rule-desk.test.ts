import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { RuleDesk } from '../../core/daemon/rule-desk.ts';
import { systemRoot, type SystemRoot } from '../../core/kernel/system-root.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import type { Action, Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import type { Incident } from '../../core/pipeline/7-ledger/incident.ts';
import { Ledger } from '../../core/pipeline/7-ledger/ledger.ts';
import { Reporter } from '../../core/pipeline/8-report/reporter.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { makeSys } from '../support/made-sys.ts';
import { testUnless } from '../support/skip-aloud.ts';

const NIC = '/devices/pci0000:00/0000:00:03.0';
const DISK = '/devices/virtual/block/sda';

interface World {
  readonly desk: RuleDesk;
  readonly roots: SystemRoot;
  readonly loaded: readonly string[];
  /** Writes usherd's own rules, below etc. */
  readonly rules: (text: string) => void;
  readonly event: (devpath: string, action?: Action) => Promise<void>;
  readonly incidents: (kind: Incident['kind']) => readonly Incident[];
}

function makeWorld(t: ExecutionContext, { observes = false } = {}): World {
  const root = mkdtempSync(path.join(tmpdir(), 'usherd-desk-'));
  const roots = systemRoot({ root }, { env: {}, uid: 0 });
  makeSys(roots.sys, [
    {
      devpath: NIC,
      subsystem: 'pci',
      uevent: 'PCI_ID=8086:10D3\n',
      attributes: { driver_override: '(null)\n', device: '0x10d3\n', power: 'auto\n' },
    },
    { devpath: DISK, subsystem: 'class/block', uevent: 'MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n' },
  ]);
  mkdirSync(path.join(root, 'etc/usherd/rules.d'), { recursive: true });
  mkdirSync(roots.dev);
  const ledger = Ledger.open(path.join(root, 'ledger.sqlite'));
  ledger.beginRun({ bootId: 'x', startedAtMs: 0, kernelRelease: 'x', version: 'x', source: 'kernel', mode: 'load' });
  const written: Incident[] = [];
  const write = ledger.incident.bind(ledger);
  ledger.incident = incident => {
    written.push(incident);
    write(incident);
  };
  t.teardown(() => {
    ledger.close('done');
    rmSync(root, { recursive: true, force: true });
  });
  const loaded: string[] = [];
  const tree = ModuleTree.open(path.join(root, 'lib/modules/x'));
  const desk = new RuleDesk({
    roots,
    ledger,
    reporter: new Reporter(),
    tree: () => tree,
    observes,
    load: async name => void loaded.push(name),
  });
  return {
    desk,
    roots,
    loaded,
    rules: text => writeFileSync(path.join(root, 'etc/usherd/rules.d/50.rules'), text),
    event: async (devpath, action = 'add') => {
      const isDisk = devpath === DISK;
      const env = isDisk ? { MAJOR: '8', MINOR: '0', DEVNAME: 'sda', DEVTYPE: 'disk' } : {};
      const event: Uevent = {
        action,
        devpath: devpath as Devpath,
        subsystem: isDisk ? 'block' : 'pci',
        env: { ACTION: action, DEVPATH: devpath, SUBSYSTEM: isDisk ? 'block' : 'pci', ...env },
        origin: { kind: 'kernel' },
        receivedAtMs: 0,
      };
      await (
        await desk.apply(event)
      )?.();
    },
    incidents: kind => written.filter(incident => incident.kind === kind),
  };
}

const OWN = { rulesDirs: [], manageDev: false };

test('rules that have an error never take the place of those that count, and both are in the ledger', t => {
  const { desk, rules, incidents, roots } = makeWorld(t);
  const file = path.join(roots.root, 'etc/usherd/rules.d/50.rules');
  rules('MODULE=="a", VERDICT="deny"\n');
  desk.configure(OWN);
  const first = desk.ruleSet.hash;
  rules('MODULE=="a", VERDICT="dney"\n');
  desk.configure(OWN);
  t.is(desk.ruleSet.hash, first);
  rules('MODULE=="a", VERDICT="deny"\nMODULE=="b", VERDICT="hold"\n');
  desk.configure(OWN);
  t.not(desk.ruleSet.hash, first);
  const loaded = incidents('rules-loaded').map(({ kind: _kind, ...facts }) => facts);
  t.deepEqual(loaded, [
    { hash: first, files: 1, rules: 1, changes: [`+${file}:1 MODULE=="a", VERDICT="deny"`] },
    { hash: desk.ruleSet.hash, before: first, files: 1, rules: 2, changes: [`+${file}:2 MODULE=="b", VERDICT="hold"`] },
  ]);
  t.like(incidents('rules-refused')[0], {
    problems: [`${file}:1:23: VERDICT is one of deny, hold, allow, found "dney"; the rule is left out`],
  });
});

test('where rules speak of modules only, events of devices pay nothing', t => {
  const { desk, rules } = makeWorld(t);
  rules('SUBSYSTEM=="pci", VERDICT="deny"\n');
  desk.configure(OWN);
  const event = new Proxy({}, { get: () => t.fail('the event was looked at') }) as Uevent;
  t.is(desk.apply(event), undefined);
});

test('DRIVER_OVERRIDE, ATTR and RUN of our own rules are carried out, and what fails is told', async t => {
  const { desk, rules, event, incidents, roots, loaded } = makeWorld(t);
  const file = path.join(roots.root, 'etc/usherd/rules.d/50.rules');
  const mark = path.join(roots.root, 'ran');
  rules(
    `SUBSYSTEM=="pci", DRIVER_OVERRIDE="vfio-pci", ATTR{power}="on", ATTR{none}="x", ATTR{/etc/passwd}="x", ENV{X}="1"\n` +
      `RUN+="/bin/sh -c 'echo $env{X} > ${mark}'", RUN{builtin}+="kmod load sg st", RUN+="/bin/false"\n`,
  );
  desk.configure(OWN);
  await event(NIC);
  t.is(readFileSync(`${roots.sys}${NIC}/driver_override`, 'latin1').slice(0, 8), 'vfio-pci');
  t.is(readFileSync(`${roots.sys}${NIC}/power`, 'latin1').slice(0, 2), 'on');
  t.is(readFileSync(mark, 'utf8'), '1\n');
  t.deepEqual(loaded, ['sg', 'st']);
  t.deepEqual(incidents('driver-override'), [
    { kind: 'driver-override', devpath: NIC, driver: 'vfio-pci', place: `${file}:1` },
  ]);
  t.deepEqual(
    incidents('rule-failed').map(
      incident => incident.kind === 'rule-failed' && incident.message.replace(roots.root, ''),
    ),
    [
      `/sys${NIC}/none did not take "x": ENOENT`,
      '/etc/passwd did not take "x": EPERM',
      '"/bin/false" ended with status 1',
    ],
  );
});

test('an observer goes through the rules and does nothing', async t => {
  const { desk, rules, event, roots } = makeWorld(t, { observes: true });
  rules(`ATTR{power}="on", RUN+="/bin/touch ${roots.root}/ran"\n`);
  desk.configure(OWN);
  await event(NIC);
  t.is(readFileSync(`${roots.sys}${NIC}/power`, 'latin1'), 'auto\n');
  t.false(existsSync(path.join(roots.root, 'ran')));
});

test('rules of folders that are not ours do nothing to devices unless usherd keeps /dev', async t => {
  const { desk, event, roots } = makeWorld(t);
  const dir = path.join(roots.root, 'udev');
  mkdirSync(dir);
  writeFileSync(path.join(dir, '10.rules'), 'ATTR{power}="on"\n');
  desk.configure({ rulesDirs: [dir], manageDev: false });
  await event(NIC);
  t.is(readFileSync(`${roots.sys}${NIC}/power`, 'latin1'), 'auto\n');
  desk.configure({ rulesDirs: [dir], manageDev: true });
  await event(NIC);
  t.is(readFileSync(`${roots.sys}${NIC}/power`, 'latin1').slice(0, 2), 'on');
});

test('how often rules matched is told at once when asked, and then counted anew', async t => {
  const { desk, rules, event, incidents, roots } = makeWorld(t);
  const file = path.join(roots.root, 'etc/usherd/rules.d/50.rules');
  rules('SUBSYSTEM=="pci", ENV{A}="1"\nSUBSYSTEM=="net", ENV{A}="1"\nENV{B}="1"\n');
  desk.configure(OWN);
  for (let n = 0; n < 3; n++) await event(NIC);
  desk.flushHits();
  desk.flushHits();
  t.deepEqual(
    incidents('rule-hits').map(incident => incident.kind === 'rule-hits' && incident.hits),
    [{ [`${file}:1`]: 3, [`${file}:3`]: 3 }],
  );
});

testUnless(process.getuid?.() === 0 ? undefined : 'root is needed to make device nodes')(
  'where usherd keeps /dev a node gets its links and permissions, its properties are kept, and all goes with it',
  async t => {
    const { desk, rules, event, roots, incidents } = makeWorld(t);
    execFileSync('mknod', [path.join(roots.dev, 'sda'), 'b', '8', '0']);
    rules(
      'ACTION=="add", ENV{SEEN}="yes", ENV{.SECRET}="1"\nIMPORT{db}="SEEN"\nGROUP="6", SYMLINK+="disk/by-seen/$env{SEEN}$env{.SECRET}"\n',
    );
    desk.configure({ rulesDirs: [], manageDev: true });
    await event(DISK);
    t.is(readlinkSync(path.join(roots.dev, 'disk/by-seen/yes1')), '../../sda');
    t.is(lstatSync(path.join(roots.dev, 'sda')).mode & 0o7777, 0o660);
    await event(DISK, 'change');
    t.is(readlinkSync(path.join(roots.dev, 'disk/by-seen/yes')), '../../sda');
    t.false(existsSync(path.join(roots.dev, 'disk/by-seen/yes1')));
    await event(DISK, 'remove');
    t.false(existsSync(path.join(roots.dev, 'disk')));
    t.deepEqual(incidents('rule-failed'), []);
  },
);
