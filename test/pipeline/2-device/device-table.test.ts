import test from 'ava';
import { DeviceTable } from '../../../core/pipeline/2-device/device-table.ts';
import type { Action, Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';

function event(action: Action, devpath: string, env: Readonly<Record<string, string>> = {}): Uevent {
  return { action, devpath: devpath as Devpath, subsystem: 'pci', env, origin: { kind: 'kernel' }, receivedAtMs: 0 };
}

function table(...events: readonly Uevent[]): readonly object[] {
  const devices = new DeviceTable();
  for (const each of events) devices.apply(each);
  return [...devices.devices.values()];
}

test('a device is there from add to remove', t => {
  t.deepEqual(table(event('add', '/devices/a', { MODALIAS: 'pci:x' })), [
    { devpath: '/devices/a', subsystem: 'pci', modalias: 'pci:x' },
  ]);
  t.deepEqual(table(event('add', '/devices/a'), event('remove', '/devices/a')), []);
});

test('bind brings the driver, unbind takes it and keeps the modalias it does not carry', t => {
  const bound = [
    event('add', '/devices/a', { MODALIAS: 'pci:x' }),
    event('bind', '/devices/a', { MODALIAS: 'pci:x', DRIVER: 'e1000e' }),
  ];
  t.deepEqual(table(...bound), [{ devpath: '/devices/a', subsystem: 'pci', modalias: 'pci:x', driver: 'e1000e' }]);
  t.deepEqual(table(...bound, event('unbind', '/devices/a')), [
    { devpath: '/devices/a', subsystem: 'pci', modalias: 'pci:x' },
  ]);
});

test('a move takes the devices below along, and only those', t => {
  const events = [
    event('add', '/devices/a'),
    event('add', '/devices/a/b'),
    event('add', '/devices/ab'),
    event('move', '/devices/c', { DEVPATH_OLD: '/devices/a' }),
  ];
  t.deepEqual(
    table(...events)
      .map(device => (device as { devpath: string }).devpath)
      .toSorted(),
    ['/devices/ab', '/devices/c', '/devices/c/b'],
  );
});

test('buses, drivers and modules send uevents and are no devices', t => {
  t.deepEqual(table(event('add', '/bus/usb/drivers/uas'), event('add', '/module/uas')), []);
});
