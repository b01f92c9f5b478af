import test from 'ava';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hideRecorded } from '../../core/cli/hide-recording.ts';
import { parseKernelMessage } from '../../core/pipeline/1-intake/kernel-message.ts';
import { formatRecordingItem, parseRecording, type RecordingItem } from '../../core/pipeline/1-intake/recording.ts';
import { encodeUdevMessage, parseUdevMessage } from '../../core/pipeline/1-intake/udev-message.ts';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import { SerialHider } from '../../core/pipeline/7-ledger/serial-hider.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';

const hider = new SerialHider(Buffer.alloc(32, 3));
const ARRIVAL = { origin: { kind: 'kernel' }, receivedAtMs: 0 } as const;
const MAC = '00:e0:4c:68:00:01';
const CARD = '/devices/pci0000:00/net/enx00e04c680001';

function datagram(from: 'kernel' | 'udev', bytes: Buffer): RecordingItem {
  return { kind: 'datagram', tMs: 0, from, bytes };
}

function bytesOf(item: RecordingItem): Buffer {
  return item.kind === 'datagram' ? item.bytes : Buffer.alloc(0);
}

function eventOf(item: RecordingItem): Uevent | undefined {
  const bytes = bytesOf(item);
  const parse = bytes.toString('latin1', 0, 7) === 'libudev' ? parseUdevMessage : parseKernelMessage;
  const parsed = parse(bytes, 0, bytes.length, ARRIVAL);
  return parsed.kind === 'uevent' ? parsed.uevent : undefined;
}

test('a recorded datagram of the kernel or of udevd is still one, with its serial numbers hidden', t => {
  const env = {
    ACTION: 'add',
    DEVPATH: CARD,
    SUBSYSTEM: 'net',
    INTERFACE: 'enx00e04c680001',
    HID_UNIQ: MAC,
    SEQNUM: '7',
  };
  const kernel = Buffer.from(
    `add@${CARD}\0${Object.entries(env)
      .map(([key, value]) => `${key}=${value}\0`)
      .join('')}`,
  );
  const udev = encodeUdevMessage({ ...env, ID_SERIAL: 'Realtek_000001', ID_SERIAL_SHORT: '000001', TAGS: ':systemd:' });
  for (const [from, bytes] of [
    ['kernel', kernel],
    ['udev', udev],
  ] as const) {
    const hidden = hideRecorded(datagram(from, bytes), hider);
    const event = eventOf(hidden);
    t.is(String(event?.devpath), hider.text(CARD));
    t.is(event?.env['HID_UNIQ'], hider.text(MAC));
    t.is(event?.seqnum, 7n as never);
    t.false(['000001', MAC, '00e04c680001'].some(plain => bytesOf(hidden).includes(plain)));
  }
});

test('what sysfs said is recorded without the serial number and the address', t => {
  const item: RecordingItem = {
    kind: 'sysfs',
    tMs: 1,
    devpath: CARD as Devpath,
    attrs: {
      serial: '0A1B2C3D4E',
      product: 'stick 0A1B2C3D4E',
      address: MAC,
      uevent: `INTERFACE=enx00e04c680001\nIFINDEX=3`,
    },
    links: { subsystem: '../../class/net', driver: `../x/${MAC}` },
  };
  const serial = hider.value('serial', '0A1B2C3D4E');
  t.deepEqual(hideRecorded(item, hider), {
    ...item,
    devpath: hider.text(CARD) as Devpath,
    attrs: {
      serial,
      product: `stick ${serial}`,
      address: hider.text(MAC),
      uevent: `INTERFACE=${hider.text('enx00e04c680001')}\nIFINDEX=3`,
    },
    links: { subsystem: '../../class/net', driver: `../x/${hider.text(MAC)}` },
  });
});

test('a recording of a real stick is the same but for its serial numbers', t => {
  const file = path.resolve(import.meta.dirname, '../fixtures/recordings/usb-storage.uevents');
  const { items } = parseRecording(readFileSync(file, 'utf8'), file);
  const hidden = items.map(item => hideRecorded(item, hider));
  t.is(hidden.length, items.length);
  const changed = hidden.filter((item, n) => formatRecordingItem(item) !== formatRecordingItem(items[n] ?? item));
  t.true(changed.length > 0);
  for (const item of changed) t.regex(formatRecordingItem(item), /hmac:[0-9a-f]{24}/);
});

test('any bytes are taken, and what has no serial number in it stays byte for byte where it is a message', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      hideRecorded(datagram('kernel', Buffer.from(bytes)), hider);
      hideRecorded(datagram('udev', Buffer.concat([Buffer.from('libudev\0'), Buffer.from(bytes)])), hider);
    }),
  );
  const plain = Buffer.from('add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=\xff\xfe\0SEQNUM=1\0', 'latin1');
  t.deepEqual(bytesOf(hideRecorded(datagram('kernel', plain), hider)), plain);
});
