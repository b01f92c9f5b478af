import test from 'ava';
import * as fc from 'fast-check';
import { parseKernelMessage } from '../../../core/pipeline/1-intake/kernel-message.ts';
import type { ParsedMessage } from '../../../core/pipeline/1-intake/uevent-body.ts';
import { ACTIONS } from '../../../core/pipeline/1-intake/uevent.ts';
import { ARRIVAL, env, LO_CHANGE, USB_ADD } from './messages.ts';

/** Parses the bytes as they lie inside a larger buffer full of other bytes, so that reading past either end would show. */
function parse(message: string | Uint8Array): ParsedMessage {
  const bytes = Buffer.from(message);
  const around = Buffer.concat([Buffer.alloc(64, 'A=B\0'), bytes, Buffer.alloc(64, 'C=D\0')]);
  return parseKernelMessage(around, 64, 64 + bytes.length, ARRIVAL);
}

test('a real message becomes its uevent, with every variable and the UUID it was triggered with', t => {
  t.deepEqual(parse(LO_CHANGE), {
    kind: 'uevent',
    uevent: {
      action: 'change',
      devpath: '/devices/virtual/net/lo',
      subsystem: 'net',
      seqnum: 569_004n,
      env: env({
        ACTION: 'change',
        DEVPATH: '/devices/virtual/net/lo',
        SUBSYSTEM: 'net',
        SYNTH_UUID: '00000000-1111-4222-8333-444444444444',
        SYNTH_ARG_A: '1',
        INTERFACE: 'lo',
        IFINDEX: '1',
        SEQNUM: '569004',
      }),
      origin: { kind: 'kernel' },
      receivedAtMs: 1.5,
      synthUuid: '00000000-1111-4222-8333-444444444444',
    },
  } as unknown as ParsedMessage);
});

test('a message cut at any byte is refused, never read past its end', t => {
  const bytes = Buffer.from(USB_ADD);
  for (let length = 0; length < bytes.length; length += 1) {
    const parsed = parse(bytes.subarray(0, length));
    t.is(parsed.kind, 'malformed', `${length} bytes`);
    if (parsed.kind === 'malformed') t.true(parsed.offsetBytes <= length);
  }
  t.is(parse(bytes).kind, 'uevent');
});

const body = 'ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=s\0';
const REFUSED: readonly [title: string, message: string, offsetBytes: number, reason: string][] = [
  ['no NUL at all', 'add@/devices/a', 14, 'the message has no NUL'],
  ['no @ in the header', `add /devices/a\0${body}SEQNUM=1\0`, 0, 'the header has no "@"'],
  ['an @ only in the body', `add\0A=@\0${body}SEQNUM=1\0`, 0, 'the header has no "@"'],
  ['an end without a NUL', `add@/devices/a\0${body}SEQNUM=1`, 65, 'the message does not end with a NUL'],
  ['no variables', 'add@/devices/a\0', 15, 'there is no ACTION'],
  [
    'another action in the header',
    `remove@/devices/a\0${body}SEQNUM=1\0`,
    0,
    'the header says "remove", ACTION says "add"',
  ],
  [
    'a longer action in the header',
    `addx@/devices/a\0${body}SEQNUM=1\0`,
    0,
    'the header says "addx", ACTION says "add"',
  ],
  [
    'another devpath in the header',
    `add@/devices/b\0${body}SEQNUM=1\0`,
    4,
    'the header says "/devices/b", DEVPATH says "/devices/a"',
  ],
  [
    'a longer devpath in the header',
    `add@/devices/a/b\0${body}SEQNUM=1\0`,
    4,
    'the header says "/devices/a/b", DEVPATH says "/devices/a"',
  ],
  [
    'an action the kernel does not have',
    'load@/devices/a\0ACTION=load\0DEVPATH=/devices/a\0SUBSYSTEM=s\0SEQNUM=1\0',
    16,
    'the action "load" is unknown',
  ],
  ['no DEVPATH', 'add@/devices/a\0ACTION=add\0SUBSYSTEM=s\0SEQNUM=1\0', 47, 'there is no DEVPATH'],
  [
    'a DEVPATH that climbs out',
    'add@/devices/../etc\0ACTION=add\0DEVPATH=/devices/../etc\0SUBSYSTEM=s\0SEQNUM=1\0',
    31,
    'DEVPATH "/devices/../etc" is not a path below /sys',
  ],
  ['no SUBSYSTEM', 'add@/devices/a\0ACTION=add\0DEVPATH=/devices/a\0SEQNUM=1\0', 54, 'there is no SUBSYSTEM'],
  ['no SEQNUM', `add@/devices/a\0${body}`, 57, 'there is no SEQNUM'],
  ['a SEQNUM of 0', `add@/devices/a\0${body}SEQNUM=0\0`, 57, 'SEQNUM "0" is not a number from 1 to 2^64-1'],
  [
    'a SEQNUM beyond 64 bits',
    `add@/devices/a\0${body}SEQNUM=18446744073709551616\0`,
    57,
    'SEQNUM "18446744073709551616" is not a number from 1 to 2^64-1',
  ],
  [
    'a SEQNUM that is no number',
    `add@/devices/a\0${body}SEQNUM=1e3\0`,
    57,
    'SEQNUM "1e3" is not a number from 1 to 2^64-1',
  ],
  ['an empty variable', `add@/devices/a\0${body}\0SEQNUM=1\0`, 57, 'a variable has no "="'],
  ['a variable without a name', `add@/devices/a\0${body}=x\0SEQNUM=1\0`, 57, 'a variable has no name'],
  ['a second ACTION', `add@/devices/a\0${body}ACTION=remove\0SEQNUM=1\0`, 57, 'ACTION is there twice'],
  ['a second SEQNUM', `add@/devices/a\0${body}SEQNUM=1\0SEQNUM=2\0`, 66, 'SEQNUM is there twice'],
  [
    '65 variables',
    `add@/devices/a\0${body}${Array.from({ length: 61 }, (_, i) => `V${i}=\0`).join('')}SEQNUM=1\0`,
    352,
    'there are more than 64 variables',
  ],
  [
    'more bytes than the kernel sends',
    `add@/devices/a\0${body}X=${'x'.repeat(2000)}\0SEQNUM=1\0`,
    15,
    'the variables have 2054 bytes, the kernel sends at most 2048',
  ],
];
for (const [title, message, offsetBytes, reason] of REFUSED) {
  test(`a message with ${title} is refused, and the refusal says where`, t => {
    t.deepEqual(parse(message), { kind: 'malformed', reason, offsetBytes });
  });
}

test('a value ends at its first newline, and the last of two values of one key counts', t => {
  const parsed = parse(`add@/devices/a\0${body}NAME=a\nEVIL=1\0K=1\0K=2\0__proto__=x\0SEQNUM=1\0`);
  t.deepEqual(parsed.kind === 'uevent' ? Object.entries(parsed.uevent.env).slice(3) : parsed, [
    ['NAME', 'a'],
    ['K', '2'],
    ['__proto__', 'x'],
    ['SEQNUM', '1'],
  ]);
});

test('values are UTF-8; a devpath that is not UTF-8 is refused, since it could not be found again', t => {
  const named = parse('add@/devices/ü\0ACTION=add\0DEVPATH=/devices/ü\0SUBSYSTEM=s\0NAME=日本\0SEQNUM=1\0');
  t.deepEqual(named.kind === 'uevent' ? [named.uevent.devpath, named.uevent.env['NAME']] : named, [
    '/devices/ü' as never,
    '日本',
  ]);
  const message = 'add@/devices/\xff\0ACTION=add\0DEVPATH=/devices/\xff\0SUBSYSTEM=s\0SEQNUM=1\0';
  t.deepEqual(parse(Buffer.from(message, 'latin1')), {
    kind: 'malformed',
    reason: 'DEVPATH "/devices/\ufffd" is not a path below /sys',
    offsetBytes: 26,
  });
});

const part = fc.stringMatching(/^[A-Za-z0-9:_-]{1,8}$/);
const key = fc.stringMatching(/^V_[A-Z]{0,6}$/);

test('every message built as the kernel builds one is read back to what it was built from', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.constantFrom(...ACTIONS),
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.dictionary(
          key,
          fc.string({ maxLength: 12 }).filter(value => !/[\0\n]/.test(value) && value.isWellFormed()),
          { maxKeys: 20 },
        ),
        fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }),
        (action, parts, extra, seqnum) => {
          const devpath = `/devices/${parts.join('/')}`;
          const variables = { ACTION: action, DEVPATH: devpath, SUBSYSTEM: 'test', ...extra, SEQNUM: String(seqnum) };
          const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\0`);
          const parsed = parse(`${action}@${devpath}\0${text.join('')}`);
          const facts = { action, devpath, subsystem: 'test', seqnum, env: env(variables), ...ARRIVAL };
          t.deepEqual(parsed, { kind: 'uevent', uevent: facts } as unknown as ParsedMessage);
        },
      ),
    ),
  );
});

test('no bytes whatever make the reader throw, and damage is told inside the message', t => {
  const damage = fc.array(fc.tuple(fc.nat(USB_ADD.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          damage.map(changes => {
            const bytes = Buffer.from(USB_ADD);
            for (const [at, value] of changes) bytes[at] = value;
            return new Uint8Array(bytes);
          }),
        ),
        bytes => {
          const parsed = parse(bytes);
          return parsed.kind === 'uevent' || (parsed.offsetBytes >= 0 && parsed.offsetBytes <= bytes.length);
        },
      ),
      { numRuns: 1000 },
    ),
  );
});
