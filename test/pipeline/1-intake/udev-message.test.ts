import test from 'ava';
import * as fc from 'fast-check';
import type { ParsedMessage } from '../../../core/pipeline/1-intake/uevent-body.ts';
import {
  encodeUdevMessage,
  murmurHash2,
  parseUdevMessage,
  tagBloom,
} from '../../../core/pipeline/1-intake/udev-message.ts';
import { ARRIVAL, env } from './messages.ts';

const PROPERTIES = {
  ACTION: 'add',
  DEVPATH: '/devices/test/usb1/1-1',
  SUBSYSTEM: 'usb',
  SEQNUM: '7',
  DEVTYPE: 'usb_device',
  TAGS: ':seat:',
};
const MESSAGE = encodeUdevMessage(PROPERTIES);

function parse(bytes: Buffer): ParsedMessage {
  const around = Buffer.concat([Buffer.alloc(64, 'A=B\0'), bytes, Buffer.alloc(64, 'C=D\0')]);
  return parseUdevMessage(around, 64, 64 + bytes.length, ARRIVAL);
}

test('hashes and tag filters are those real libudev computes', t => {
  const hashes = {
    usb: 0x0577_c5e5,
    block: 0xf003_1db7,
    net: 0xa74d_3cc8,
    pci: 0x5916_3b92,
    input: 0xc1a2_8470,
    usb_device: 0x27f8_f50c,
    usb_interface: 0xb102_4765,
    disk: 0x7bcb_c5ee,
  };
  t.deepEqual(Object.fromEntries(Object.keys(hashes).map(text => [text, murmurHash2(text)])), hashes);
  const blooms = {
    systemd: 0x0200_0400_1080_0000n,
    seat: 0x0208_0000_0040_0001n,
    uaccess: 0x0000_2008_0000_1008n,
    'power-switch': 0x8000_2000_4000_0010n,
  };
  t.deepEqual(Object.fromEntries(Object.keys(blooms).map(tag => [tag, tagBloom(tag)])), blooms);
});

test('a message is laid out byte for byte as udevd lays it out', t => {
  t.is(
    MESSAGE.subarray(0, 40).toString('hex'),
    '6c69627564657600feedcafe2800000028000000600000000577c5e527f8f50c0208000000400001',
  );
  t.is(MESSAGE.length - 40, 0x60);
});

test('what was laid out is read back', t => {
  t.deepEqual(parse(MESSAGE), {
    kind: 'uevent',
    uevent: {
      action: 'add',
      devpath: '/devices/test/usb1/1-1',
      subsystem: 'usb',
      seqnum: 7n,
      env: env(PROPERTIES),
      ...ARRIVAL,
    },
  } as unknown as ParsedMessage);
});

test('a message cut at any byte is refused', t => {
  for (let length = 0; length < MESSAGE.length; length += 1) {
    t.is(parse(MESSAGE.subarray(0, length)).kind, 'malformed', `${length} bytes`);
  }
});

function changed(write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(MESSAGE);
  write(bytes);
  return bytes;
}

const REFUSED: readonly [title: string, bytes: Buffer, offsetBytes: number, reason: RegExp][] = [
  ['another prefix', changed(b => b.write('LIBUDEV')), 0, /^the message does not begin with "libudev"$/],
  ['another magic number', changed(b => b.writeUInt32BE(1, 8)), 8, /^the magic number is 0x1, not 0xfeedcafe$/],
  ['properties inside the header', changed(b => b.writeUInt32LE(8, 16)), 16, /^properties begin at 8, outside/],
  ['properties after the end', changed(b => b.writeUInt32LE(0xffff_ffff, 16)), 16, /^properties begin at 4294967295/],
  ['too few properties', changed(b => b.writeUInt32LE(31, 20)), 20, /^properties of 31 bytes at 40 do not fit/],
  ['properties too long', changed(b => b.writeUInt32LE(0xffff_ffff, 20)), 20, /^properties of 4294967295 bytes/],
  ['an unknown action', changed(b => b.write('xxx', 47)), 40, /^the action "xxx" is unknown$/],
];
for (const [title, bytes, offsetBytes, reason] of REFUSED) {
  test(`a message with ${title} is refused, and the refusal says where`, t => {
    const parsed = parse(bytes);
    t.is(parsed.kind, 'malformed');
    if (parsed.kind !== 'malformed') return;
    t.is(parsed.offsetBytes, offsetBytes);
    t.regex(parsed.reason, reason);
  });
}

test('10,000 tags are as good as one', t => {
  const tags = `:${Array.from({ length: 10_000 }, (_, i) => `tag${i}`).join(':')}:`;
  const parsed = parse(encodeUdevMessage({ ...PROPERTIES, TAGS: tags }));
  t.is(parsed.kind === 'uevent' ? parsed.uevent.env['TAGS'] : '', tags);
});

test('no bytes whatever make the reader throw', t => {
  const damage = fc.array(fc.tuple(fc.nat(MESSAGE.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  t.notThrows(() =>
    fc.assert(
      fc.property(damage, changes => {
        const parsed = parse(changed(bytes => changes.forEach(([at, value]) => bytes.writeUInt8(value, at))));
        return parsed.kind === 'uevent' || (parsed.offsetBytes >= 0 && parsed.offsetBytes <= MESSAGE.length);
      }),
      { numRuns: 1000 },
    ),
  );
});
