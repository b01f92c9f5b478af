import test from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../../core/errors.ts';
import {
  formatRecordingHeader,
  formatRecordingItem,
  parseRecording,
  type RecordingItem,
} from '../../../core/pipeline/1-intake/recording.ts';
import { replay } from '../../../core/pipeline/1-intake/replay-source.ts';
import { encodeUdevMessage } from '../../../core/pipeline/1-intake/udev-message.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { KeepingSink } from './keeping-sink.ts';
import { env, LO_CHANGE, USB_ADD } from './messages.ts';

const HEADER = { kernel: '6.1.0-18-amd64', started: new Date('2026-11-23T04:08:00.000Z') };
const ITEMS: readonly RecordingItem[] = [
  {
    kind: 'sysfs',
    tMs: 0,
    devpath: '/devices/virtual/net/lo' as Devpath,
    attrs: env({ type: '772' }),
    links: env({ subsystem: '../../../../class/net' }),
  },
  { kind: 'datagram', tMs: 0, from: 'kernel', bytes: Buffer.from(LO_CHANGE) },
  {
    kind: 'datagram',
    tMs: 1.25,
    from: 'udev',
    bytes: encodeUdevMessage({ ACTION: 'bind', DEVPATH: '/devices/a', SUBSYSTEM: 'usb', SEQNUM: '7', TAGS: ':seat:' }),
  },
  { kind: 'lost', tMs: 9, reason: 'overrun', dropped: 17n },
  { kind: 'datagram', tMs: 9, from: 'kernel', bytes: Buffer.from('no uevent') },
  { kind: 'datagram', tMs: 10, from: 'kernel', bytes: Buffer.from(USB_ADD) },
  { kind: 'lost', tMs: 11, reason: 'truncated' },
];
const TEXT = formatRecordingHeader(HEADER) + ITEMS.map(formatRecordingItem).join('');

test('a recording is one readable line each, and is read back byte for byte', t => {
  const lines = TEXT.split('\n');
  t.is(lines[0], '{"usherd-recording":1,"kernel":"6.1.0-18-amd64","started":"2026-11-23T04:08:00.000Z"}');
  t.is(lines[2], JSON.stringify({ t: 0, from: 'kernel', raw: LO_CHANGE }));
  t.regex(lines[3] ?? '', /^\{"t":1.25,"from":"udev","rawBase64":"bGlidWRldgD\+7cr\+/);
  t.is(lines[4], '{"t":9,"lost":"overrun","dropped":"17"}');
  t.deepEqual(parseRecording(TEXT, 'a.uevents'), { header: HEADER, items: ITEMS, problems: [] });
});

test('a replay tells what was recorded, in its order, at the times it was recorded', async t => {
  const sink = new KeepingSink();
  const attributes: string[] = [];
  await replay(parseRecording(TEXT, 'a.uevents'), sink, {
    isPaced: false,
    sysfs: item => attributes.push(`${item.devpath} ${JSON.stringify(item.attrs)}`),
  });
  t.deepEqual(sink.order, [
    'change /devices/virtual/net/lo',
    'bind /devices/a',
    'lost overrun',
    'rejected message',
    'add /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0',
    'lost truncated',
  ]);
  const startedMs = HEADER.started.getTime();
  t.deepEqual(
    sink.events.map(({ origin, receivedAtMs }) => [origin, receivedAtMs - startedMs]),
    [
      [{ kind: 'replay' }, 0],
      [{ kind: 'replay' }, 1.25],
      [{ kind: 'replay' }, 10],
    ],
  );
  t.deepEqual(sink.losses, [
    { kind: 'overrun', dropped: 17n, atMs: startedMs + 9 },
    { kind: 'truncated', atMs: startedMs + 11 },
  ]);
  t.deepEqual(sink.rejections, [
    {
      kind: 'message',
      reason: 'the message has no NUL',
      offsetBytes: 9,
      lengthBytes: 9,
      head: 'no uevent',
      atMs: startedMs + 9,
    },
  ]);
  t.deepEqual(attributes, ['/devices/virtual/net/lo {"type":"772"}']);
});

test('a paced replay keeps the pauses and stops when it is told to', async t => {
  const sink = new KeepingSink();
  const stop = new AbortController();
  const items: RecordingItem[] = [0, 30, 1e9].map(tMs => ({
    kind: 'datagram',
    tMs,
    from: 'kernel',
    bytes: Buffer.from(USB_ADD),
  }));
  const startedMs = performance.now();
  const done = replay({ header: HEADER, items, problems: [] }, sink, { isPaced: true, signal: stop.signal });
  while (sink.events.length < 2) await new Promise(resolve => setTimeout(resolve, 2));
  t.true(performance.now() - startedMs >= 29);
  stop.abort();
  await done;
  t.is(sink.events.length, 2);
});

test('each line that makes no sense is a problem with its number, and the others are read', t => {
  const lines = [
    formatRecordingHeader(HEADER).trimEnd(),
    'not JSON',
    '[1]',
    '{"t":"0","from":"kernel","raw":""}',
    '{"t":1}',
    '{"t":1,"from":"bus","raw":""}',
    '{"t":1,"from":"udev"}',
    '{"t":1,"from":"udev","rawBase64":"a b"}',
    '',
    '{"t":1,"sysfs":"/../etc","attrs":{},"links":{}}',
    '{"t":1,"sysfs":"/devices/a","attrs":{"a":1}}',
    '{"t":1,"lost":"keys"}',
    '{"t":1,"lost":true,"dropped":5}',
    '{"t":1,"lost":true}',
    '{"t":0,"lost":true}',
    `{"t":1,"from":"kernel","raw":"${'x'.repeat(1024 * 1024)}"}`,
  ];
  const { items, problems } = parseRecording(lines.join('\n'), 'b.uevents');
  t.deepEqual(items, [{ kind: 'lost', tMs: 1, reason: 'overrun' }]);
  t.deepEqual(
    problems.map(({ place, message }) => `${place.file}:${place.line}: ${message}`),
    [
      'b.uevents:2: the line is not a JSON object',
      'b.uevents:3: the line is not a JSON object',
      'b.uevents:4: "t" is "0", wanted a number of milliseconds from 0 on',
      'b.uevents:5: the line has none of "from", "sysfs" and "lost"',
      'b.uevents:6: "from" is "bus", wanted "kernel" or "udev"',
      'b.uevents:7: a datagram wants "raw" or "rawBase64" as a text',
      'b.uevents:8: "rawBase64" is not base64 with its padding',
      'b.uevents:10: "sysfs" is "/../etc", wanted a path below /sys',
      'b.uevents:11: "attrs" and "links" must be objects with texts in them',
      'b.uevents:12: "lost" is "keys", wanted "overrun", "truncated" or "queue-full"',
      'b.uevents:13: "dropped" is 5, wanted a number as a text',
      'b.uevents:15: "t" is 0, wanted a number of milliseconds from 1 on',
      'b.uevents:16: the line has 1048608 characters, at most 1048576 are read',
    ],
  );
});

test('what is no recording, or one of a newer version, is refused by its first line', t => {
  const messages = ['', 'text', '{"usherd-recording":2}', '{"usherd-recording":1,"kernel":"6","started":"never"}'].map(
    text => t.throws(() => parseRecording(text, 'c'), { instanceOf: UsherdError, code: 'RECORDING_DAMAGED' })?.message,
  );
  t.deepEqual(messages, [
    'c:1: the header has no "usherd-recording", this reader knows version 1',
    'c:1: the header has no "usherd-recording", this reader knows version 1',
    'c:1: the header is of version 2, this reader knows version 1',
    'c:1: the header wants "kernel" and "started" as texts',
  ]);
});

const texts = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: false }).map(env);
const item: fc.Arbitrary<RecordingItem> = fc.oneof(
  fc.record({
    kind: fc.constant('datagram' as const),
    tMs: fc.constant(0),
    from: fc.constantFrom('kernel' as const, 'udev' as const),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
      fc.string({ unit: 'binary' }).map(text => Buffer.from(text)),
    ),
  }),
  fc.record({
    kind: fc.constant('sysfs' as const),
    tMs: fc.constant(0),
    devpath: fc.constant('/devices/a' as Devpath),
    attrs: texts,
    links: texts,
  }),
  fc.record({
    kind: fc.constant('lost' as const),
    tMs: fc.constant(0),
    reason: fc.constant('queue-full' as const),
    dropped: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  }),
);

test('whatever was recorded is read back as it was', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(item), items => {
        const text = formatRecordingHeader(HEADER) + items.map(formatRecordingItem).join('');
        t.deepEqual(parseRecording(text, 'd'), { header: HEADER, items, problems: [] });
      }),
    ),
  );
});

test('no text whatever makes the reader throw anything but its own error', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json())), lines => {
        parseRecording(formatRecordingHeader(HEADER) + lines.join('\n'), 'e');
      }),
    ),
  );
});
