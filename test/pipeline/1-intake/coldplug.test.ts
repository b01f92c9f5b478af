import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { walkSysfs } from '../../../core/kernel/sysfs.ts';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import { devpathsAbove, type Devpath } from '../../../core/vocabulary/devpath.ts';
import { coldplugged } from '../../support/coldplugged.ts';
import { makeSys, type MadeDevice } from '../../support/made-sys.ts';

function madeSys(t: ExecutionContext, devices: readonly MadeDevice[]): { sys: string } {
  const sys = mkdtempSync(path.join(tmpdir(), 'usherd-coldplug-'));
  t.teardown(() => rmSync(sys, { recursive: true }));
  makeSys(sys, devices);
  return { sys };
}

const devpaths = (events: readonly Uevent[]): string[] => events.map(({ devpath }) => devpath);

test('what is there already becomes one add each, parents first, with all its uevent file says', async t => {
  const root = madeSys(t, [
    { devpath: '/devices/a', subsystem: 'pci', uevent: 'MODALIAS=pci:v1\n' },
    { devpath: '/devices/a/b', subsystem: 'usb', uevent: 'DEVTYPE=usb_device\n' },
  ]);
  const { waiting, others } = await coldplugged(root);
  const events = [...waiting, ...others];
  t.deepEqual(
    events.map(({ receivedAtMs, env, ...event }) => [event, { ...env }, receivedAtMs > 1e12]),
    [
      [
        { action: 'add', devpath: '/devices/a' as Devpath, subsystem: 'pci', origin: { kind: 'coldplug' } },
        { ACTION: 'add', DEVPATH: '/devices/a', SUBSYSTEM: 'pci', MODALIAS: 'pci:v1' },
        true,
      ],
      [
        { action: 'add', devpath: '/devices/a/b' as Devpath, subsystem: 'usb', origin: { kind: 'coldplug' } },
        { ACTION: 'add', DEVPATH: '/devices/a/b', SUBSYSTEM: 'usb', DEVTYPE: 'usb_device' },
        true,
      ],
    ],
  );
});

test('those that wait for a driver come first, each after what is above it, and nothing comes twice', async t => {
  const root = madeSys(t, [
    { devpath: '/devices/pci0', uevent: '' },
    { devpath: '/devices/pci0/00:01', subsystem: 'pci', driver: 'port', uevent: 'DRIVER=port\nMODALIAS=pci:v1\n' },
    { devpath: '/devices/pci0/00:01/01:00', subsystem: 'pci', uevent: 'MODALIAS=pci:v2\n' },
    { devpath: '/devices/pci0/00:02', subsystem: 'pci', driver: 'net', uevent: 'DRIVER=net\nMODALIAS=pci:v3\n' },
    { devpath: '/devices/pci0/00:02/net/eth0', subsystem: 'class/net', uevent: 'INTERFACE=eth0\n' },
    { devpath: '/devices/pci0/00:03', subsystem: 'pci', uevent: '' },
    { devpath: '/devices/virtual/input/input0', subsystem: 'class/input', uevent: 'MODALIAS=input:b1\n' },
  ]);
  const { waiting, others } = await coldplugged(root);
  t.deepEqual(devpaths(waiting), ['/devices/pci0/00:01', '/devices/pci0/00:01/01:00']);
  t.deepEqual(devpaths(others), [
    '/devices/pci0/00:02',
    '/devices/pci0/00:02/net/eth0',
    '/devices/pci0/00:03',
    '/devices/virtual/input/input0',
  ]);
});

test('of this machine every device is told once, and none before one that it is below', async t => {
  const root = { sys: '/sys' };
  const told = new Set<Devpath>();
  const notLater = new Set<Devpath>();
  const { waiting, others } = await coldplugged(root);
  for (const { devpath } of [...waiting, ...others]) {
    t.false(told.has(devpath), devpath);
    for (const above of devpathsAbove(devpath)) notLater.add(above);
    t.false(notLater.has(devpath), `${devpath} came after one below it`);
    told.add(devpath);
  }
  t.deepEqual(
    [...told].toSorted(),
    walkSysfs(root)
      .map(({ devpath }) => devpath)
      .toSorted(),
  );
});
