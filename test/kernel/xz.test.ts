import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { decodeXz, decodeXzAside } from '../../core/kernel/xz.ts';
import { whyNoProgram } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const MIB = 1 << 20;
const testWithXz = testUnless(whyNoProgram('xz'));

const xz = (content: Uint8Array, ...options: string[]): Buffer =>
  execFileSync('xz', ['-c', ...options], { input: content, maxBuffer: 64 * MIB });

/** Neither constant nor random, so that it shrinks about as a module does. */
const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => ((i * i) >> 7) & 0xff));

testWithXz('what xz made for a kernel module is decoded to the same bytes, here and on a thread', async t => {
  const packed = xz(content, '--check=crc32', '--lzma2=dict=1MiB');
  t.deepEqual(decodeXz(packed, MIB), { kind: 'decoded', bytes: content });
  t.deepEqual(await decodeXzAside(packed, MIB), { kind: 'decoded', bytes: content });
  t.deepEqual(decodeXz(packed, content.length), { kind: 'decoded', bytes: content });
  t.deepEqual(decodeXz(xz(content, '--check=crc64', '-9'), MIB), { kind: 'decoded', bytes: content });
  t.deepEqual(decodeXz(xz(Buffer.alloc(0)), 1), { kind: 'decoded', bytes: Buffer.alloc(0) });
});

testWithXz('a bomb is refused at the limit, without its content ever being held', async t => {
  const bomb = xz(Buffer.alloc(32 * MIB), '--check=crc32');
  t.true(bomb.length < 10_000);
  t.deepEqual(decodeXz(bomb, MIB), { kind: 'refused', reason: 'too-large' });
  t.deepEqual(decodeXz(bomb, 32 * MIB - 1), { kind: 'refused', reason: 'too-large' });
  t.deepEqual(await decodeXzAside(bomb, MIB), { kind: 'refused', reason: 'too-large' });
});

testWithXz('cut, damaged, foreign and trailing bytes are each refused with their own reason', t => {
  const packed = xz(content, '--check=crc32');
  for (const length of [0, 5, 11, 12, 100, packed.length - 1]) {
    t.deepEqual(decodeXz(packed.subarray(0, length), MIB), { kind: 'refused', reason: 'truncated' }, `${length} bytes`);
  }
  const flipped = Buffer.from(packed);
  flipped.writeUInt8(flipped.readUInt8(packed.length >> 1) ^ 0x10, packed.length >> 1);
  t.deepEqual(decodeXz(flipped, MIB), { kind: 'refused', reason: 'damaged' });
  t.deepEqual(decodeXz(Buffer.from('this is no xz stream'), MIB), { kind: 'refused', reason: 'not-xz' });
  t.deepEqual(decodeXz(Buffer.concat([packed, Buffer.from('x')]), MIB), { kind: 'refused', reason: 'trailing-bytes' });
});

testWithXz('a stream whose dictionary needs more memory than any module does is refused', t => {
  const packed = xz(Buffer.from('small'), '--lzma2=dict=256MiB');
  t.deepEqual(decodeXz(packed, MIB), { kind: 'refused', reason: 'needs-too-much-memory' });
});

testWithXz('no damage to a stream ever yields other bytes than were packed', t => {
  const packed = xz(content.subarray(0, 4000), '--check=crc32');
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const damaged = Buffer.from(packed);
        damaged.writeUInt8(damaged.readUInt8(at) ^ mask, at);
        const answer = decodeXz(damaged, MIB);
        return answer.kind === 'refused' || answer.bytes.equals(content.subarray(0, 4000));
      }),
    ),
  );
});
