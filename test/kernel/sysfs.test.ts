import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { isOnSysfs, parseUeventFile, readSysfsDevice, walkSysfs } from '../../core/kernel/sysfs.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { ueventFiles, whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** A folder that stands for /sys, gone when the test is. Keys are files with their content, or links when it begins with `-> `. */
function sysfs(t: ExecutionContext, files: Record<string, string>): { sys: string } {
  const sys = mkdtempSync(path.join(tmpdir(), 'usherd-sysfs-'));
  t.teardown(() => rmSync(sys, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(sys, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), file);
    else writeFileSync(file, content);
  }
  return { sys };
}

test('devices are found parents first, with what their uevent file, subsystem and driver links say', t => {
  const root = sysfs(t, {
    'devices/pci0000:00/uevent': '',
    'devices/pci0000:00/0000:00:1f.2/uevent': 'DRIVER=ahci\nPCI_CLASS=10601\nMODALIAS=pci:v00008086d00002922\n',
    'devices/pci0000:00/0000:00:1f.2/subsystem': '-> ../../../bus/pci',
    'devices/pci0000:00/0000:00:1f.2/driver': '-> ../../../bus/pci/drivers/ahci',
    'devices/pci0000:00/0000:00:1f.2/block/sda/uevent': 'MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n',
    'devices/pci0000:00/0000:00:1f.2/block/sda/subsystem': '-> ../../../../../class/block',
    'devices/pci0000:00/0000:00:1f.2/block/sda/device': '-> ../..',
    'devices/virtual/net/lo/uevent': 'INTERFACE=lo\nIFINDEX=1\nSUBSYSTEM=net\n',
  });
  t.deepEqual(plain(walkSysfs(root)), [
    {
      devpath: '/devices/pci0000:00/0000:00:1f.2',
      subsystem: 'pci',
      env: { DRIVER: 'ahci', PCI_CLASS: '10601', MODALIAS: 'pci:v00008086d00002922' },
      driver: 'ahci',
      modalias: 'pci:v00008086d00002922',
    },
    {
      devpath: '/devices/pci0000:00/0000:00:1f.2/block/sda',
      subsystem: 'block',
      env: { MAJOR: '8', MINOR: '0', DEVNAME: 'sda', DEVTYPE: 'disk' },
      devtype: 'disk',
      devname: 'sda',
    },
    {
      devpath: '/devices/virtual/net/lo',
      subsystem: 'net',
      env: { INTERFACE: 'lo', IFINDEX: '1', SUBSYSTEM: 'net' },
    },
  ]);
  t.deepEqual(readSysfsDevice(root, '/devices/virtual/net/lo' as Devpath), walkSysfs(root)[2]);
  t.is(readSysfsDevice(root, '/devices/virtual/net/none' as Devpath), undefined);
  t.is(readSysfsDevice(root, '/devices/pci0000:00' as Devpath), undefined);
});

test('links are not followed, neither in a circle nor out of the tree', t => {
  const outside = sysfs(t, { 'secret/uevent': 'SUBSYSTEM=evil\n' });
  const root = sysfs(t, {
    'devices/a/uevent': 'SUBSYSTEM=s\n',
    'devices/a/loop': '-> ..',
    'devices/a/out': `-> ${outside.sys}/secret`,
  });
  t.deepEqual(
    walkSysfs(root).map(device => device.devpath),
    ['/devices/a' as Devpath],
  );
});

test('a tree that is missing, or where a uevent file cannot be read, gives the devices that can be read', t => {
  t.deepEqual(walkSysfs({ sys: '/nonexistent' }), []);
  const root = sysfs(t, {
    'devices/a/uevent/not-a-file': '',
    'devices/b/uevent': '-> nowhere',
    'devices/b/subsystem': '-> ../../bus/b',
    'devices/c/uevent': 'SUBSYSTEM=s',
  });
  t.deepEqual(
    walkSysfs(root).map(device => device.devpath),
    ['/devices/c' as Devpath],
  );
});

test('the uevent file of a device is read to the last line, cut or not, and never more than one page of it', t => {
  t.deepEqual(plain(parseUeventFile('A=1\nB=x=y\n=nameless\nnothing\nA=2\nC=')), { A: '2', B: 'x=y', C: '' });
  t.deepEqual(plain(parseUeventFile('')), {});
  const root = sysfs(t, { 'devices/a/uevent': `SUBSYSTEM=s\nLONG=${'x'.repeat(10_000)}\n` });
  t.is(walkSysfs(root)[0]?.env['LONG']?.length, 4096 - 'SUBSYSTEM=s\nLONG='.length);
});

test('any variables written as lines are read back', t => {
  const line = fc.string().filter(text => !text.includes('\n'));
  const key = line.filter(text => text !== '' && !text.includes('='));
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(key, line), { selector: ([name]) => name }), pairs => {
        const read = parseUeventFile(pairs.map(([name, value]) => `${name}=${value}\n`).join(''));
        t.deepEqual({ ...read }, Object.fromEntries(pairs));
      }),
    ),
  );
});

testUnless(whyNoRealUevents())(
  'on a real machine the walk finds each device that has a subsystem, and only those',
  t => {
    const found = walkSysfs({ sys: '/sys' }).map(device => `/sys${device.devpath}/uevent`);
    t.deepEqual(found.toSorted(), ueventFiles().toSorted());
    const parents = new Set<string>();
    for (const file of found) {
      const [folder] = file.split('/uevent');
      t.false([...parents].some(seen => seen.startsWith(`${folder}/`)));
      parents.add(folder ?? '');
    }
    t.true(isOnSysfs('/sys/devices'));
    t.false(isOnSysfs('/proc'));
    t.false(isOnSysfs('/nonexistent'));
  },
);
