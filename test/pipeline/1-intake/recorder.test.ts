import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { Recorder } from '../../../core/pipeline/1-intake/recorder.ts';
import { parseRecording } from '../../../core/pipeline/1-intake/recording.ts';
import type { Action, Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { env, USB_ADD } from './messages.ts';

const STARTED = new Date('2026-11-23T04:08:00Z');
const at = (ms: number): number => STARTED.getTime() + ms;

test('a recording has each datagram, what sysfs said when a device was news, and losses, with times that never go back', t => {
  const sys = mkdtempSync(path.join(tmpdir(), 'usherd-recorder-'));
  t.teardown(() => rmSync(sys, { recursive: true }));
  mkdirSync(path.join(sys, 'devices/a'), { recursive: true });
  writeFileSync(path.join(sys, 'devices/a/modalias'), 'usb:v1\n');
  symlinkSync('../../bus/usb', path.join(sys, 'devices/a/subsystem'));
  let text = '';
  const recorder = new Recorder({ kernel: '6.1', started: STARTED, root: { sys }, write: line => (text += line) });
  const uevent = (action: Action, ms: number, devpath = '/devices/a'): Uevent => ({
    action,
    devpath: devpath as Devpath,
    subsystem: 'usb',
    env: {},
    origin: { kind: 'kernel' },
    receivedAtMs: at(ms),
  });
  recorder.datagram(Buffer.from(USB_ADD), 'kernel', at(1.2504));
  recorder.uevent(uevent('add', 2));
  recorder.uevent(uevent('change', 3));
  recorder.uevent(uevent('add', 3, '/devices/gone'));
  recorder.uevent(uevent('bind', 1));
  recorder.lost({ kind: 'overrun', dropped: 5n, atMs: at(4) });
  recorder.uevent(uevent('remove', 5));
  recorder.uevent(uevent('change', 6));
  const described = {
    kind: 'sysfs',
    devpath: '/devices/a' as Devpath,
    attrs: env({ modalias: 'usb:v1' }),
    links: env({ subsystem: '../../bus/usb' }),
  } as const;
  t.deepEqual(parseRecording(text, 'x'), {
    header: { kernel: '6.1', started: STARTED },
    items: [
      { kind: 'datagram', tMs: 1.25, from: 'kernel', bytes: Buffer.from(USB_ADD) },
      { ...described, tMs: 2 },
      { ...described, tMs: 2 },
      { kind: 'lost', tMs: 4, reason: 'overrun', dropped: 5n },
      { ...described, tMs: 6 },
    ],
    problems: [],
  });
});
