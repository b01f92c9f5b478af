import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { Lanes, laneOf } from '../../../core/pipeline/6-load/lanes.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';

test('work in one lane runs in order and never two at a time; another lane does not wait', async t => {
  const lanes = new Lanes();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lanes.run('usb1', async () => {
    log.push('first begins');
    await gate.promise;
    log.push('first ends');
  });
  const second = lanes.run('usb1', async () => void log.push('second'));
  const other = lanes.run('usb2', async () => void log.push('other'));
  await other;
  await turn();
  t.deepEqual(log, ['first begins', 'other']);
  gate.resolve();
  await Promise.all([first, second]);
  t.deepEqual(log, ['first begins', 'other', 'first ends', 'second']);
});

test('work that fails does not stop what waits behind it', async t => {
  const lanes = new Lanes();
  const bad = lanes.run('usb1', () => Promise.reject(new Error('refused')));
  const good = lanes.run('usb1', () => Promise.resolve('done'));
  await t.throwsAsync(bad, { message: 'refused' });
  t.is(await good, 'done');
});

test('interfaces of one USB device share a lane; devices of other kinds have none', t => {
  const lane = (devpath: string, devtype: string): string | undefined =>
    laneOf({ devpath: devpath as Devpath, subsystem: 'usb', devtype });
  t.is(lane('/devices/usb1/1-1/1-1:1.0', 'usb_interface'), '/devices/usb1/1-1');
  t.is(lane('/devices/usb1/1-1/1-1:1.1', 'usb_interface'), '/devices/usb1/1-1');
  t.is(lane('/devices/usb1/1-1', 'usb_device'), undefined);
});
