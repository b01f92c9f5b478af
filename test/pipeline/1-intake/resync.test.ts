import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { walkSysfs, type SysfsDevice } from '../../../core/kernel/sysfs.ts';
import { resync, type DeviceSnapshot } from '../../../core/pipeline/1-intake/resync.ts';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import type { Modalias } from '../../../core/vocabulary/modalias.ts';

function sysfs(t: ExecutionContext, files: Record<string, string>): { sys: string } {
  const sys = mkdtempSync(path.join(tmpdir(), 'usherd-resync-'));
  t.teardown(() => rmSync(sys, { recursive: true }));
  for (const [devpath, content] of Object.entries(files)) {
    mkdirSync(path.join(sys, devpath), { recursive: true });
    writeFileSync(path.join(sys, devpath, 'uevent'), content);
  }
  return { sys };
}

const told = (events: readonly Uevent[]): string[] => events.map(event => `${event.action} ${event.devpath}`);
const knownFrom = (devices: readonly SysfsDevice[]): Map<Devpath, DeviceSnapshot> =>
  new Map(devices.map(device => [device.devpath, device]));

test('after a loss the difference is told: children removed first, parents added first, another driver as a change', t => {
  const before = sysfs(t, {
    '/devices/gone': 'SUBSYSTEM=usb\nMODALIAS=usb:v1',
    '/devices/gone/child': 'SUBSYSTEM=usb',
    '/devices/kept': 'SUBSYSTEM=pci\nDRIVER=old',
    '/devices/bound': 'SUBSYSTEM=pci',
    '/devices/other': 'SUBSYSTEM=net',
    '/devices/same': 'SUBSYSTEM=pci\nDRIVER=d\nMODALIAS=m',
  });
  const after = sysfs(t, {
    '/devices/kept': 'SUBSYSTEM=pci\nDRIVER=new',
    '/devices/bound': 'SUBSYSTEM=pci\nDRIVER=d',
    '/devices/other': 'SUBSYSTEM=tty',
    '/devices/same': 'SUBSYSTEM=pci\nDRIVER=d\nMODALIAS=m\nNOISE=1',
    '/devices/new': 'SUBSYSTEM=usb',
    '/devices/new/child': 'SUBSYSTEM=usb',
  });
  const events = resync(knownFrom(walkSysfs(before)), walkSysfs(after), 5);
  t.deepEqual(told(events), [
    'remove /devices/gone/child',
    'remove /devices/other',
    'remove /devices/gone',
    'change /devices/bound',
    'change /devices/kept',
    'add /devices/new',
    'add /devices/new/child',
    'add /devices/other',
  ]);
  t.true(events.every(event => event.origin.kind === 'resync' && event.receivedAtMs === 5));
  t.deepEqual(
    { ...events[2]?.env },
    {
      ACTION: 'remove',
      DEVPATH: '/devices/gone',
      SUBSYSTEM: 'usb',
      MODALIAS: 'usb:v1',
    },
  );
});

const device = fc.record({
  devpath: fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
    .map(parts => `/devices/${parts.join('/')}` as Devpath),
  subsystem: fc.constantFrom('usb', 'pci'),
  driver: fc.constantFrom('x', 'y'),
  modalias: fc.constantFrom('m' as Modalias, 'n' as Modalias),
  env: fc.constant({}),
});
/** As a walk gives them: each devpath once, parents first. */
const devices = fc
  .uniqueArray(device, { selector: ({ devpath }) => devpath, maxLength: 12 })
  .map(list => list.toSorted((a, b) => (a.devpath < b.devpath ? -1 : 1)));

test('carrying out the difference turns any known state into the fresh one, with no step on a missing device', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(devices, devices, (old, fresh) => {
        const state = knownFrom(old);
        for (const event of resync(knownFrom(old), fresh, 0)) {
          t.is(state.has(event.devpath), event.action !== 'add');
          if (event.action === 'remove') state.delete(event.devpath);
          else {
            const now = fresh.find(({ devpath }) => devpath === event.devpath);
            if (now !== undefined) state.set(event.devpath, now);
          }
        }
        t.deepEqual(new Map([...state].toSorted(([a], [b]) => (a < b ? -1 : 1))), knownFrom(fresh));
        t.deepEqual(resync(state, fresh, 0), []);
      }),
    ),
  );
});
