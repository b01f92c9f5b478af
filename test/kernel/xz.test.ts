import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as fc from 'fast-check';
import { decodeXz, decodeXzFile, giveBackXz, type XzAnswer } from '../../core/kernel/xz.ts';
import { whyNoProgram } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const MIB = 1 << 20;
const testWithXz = testUnless(whyNoProgram('xz'));

const xz = (content: Uint8Array, ...options: string[]): Buffer =>
  execFileSync('xz', ['-c', ...options], { input: content, maxBuffer: 64 * MIB });

/** The same of a file with those bytes. */
async function decodeAside(bytes: Uint8Array, maxBytes: number, size = bytes.length): Promise<XzAnswer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-xz-'));
  const file = path.join(folder, 'packed.xz');
  try {
    writeFileSync(file, bytes);
    return await decodeXzFile({ file, size }, maxBytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What an answer comes to: deepEqual would go through hundreds of thousands of bytes one by one. */
function toldOf(answer: XzAnswer, wanted: Uint8Array): string {
  if (answer.kind === 'refused') return answer.reason;
  return answer.bytes.equals(wanted) ? 'whole' : `${answer.bytes.length} bytes, others than were packed`;
}

/** Neither constant nor random, so that it shrinks about as a module does. */
const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => ((i * i) >> 7) & 0xff));

testWithXz('what xz made for a kernel module is decoded to the same bytes, here and on a thread', async t => {
  const packed = xz(content, '--check=crc32', '--lzma2=dict=1MiB');
  t.is(toldOf(decodeXz(packed, MIB), content), 'whole');
  t.is(toldOf(await decodeAside(packed, MIB), content), 'whole');
  for (const options of [
    ['--check=crc64'],
    ['--check=none'],
    ['--check=crc32', '--block-size=100000'],
    ['-0', '--check=sha256'],
  ])
    t.is(toldOf(await decodeAside(xz(content, ...options), MIB), content), 'whole', options.join(' '));
  t.is(toldOf(await decodeAside(xz(Buffer.alloc(0), '--check=crc32'), 1), Buffer.alloc(0)), 'whole');
  t.is(toldOf(decodeXz(packed, content.length), content), 'whole');
  t.is(toldOf(decodeXz(xz(content, '--check=crc64', '-9'), MIB), content), 'whole');
  t.is(toldOf(decodeXz(xz(Buffer.alloc(0)), 1), Buffer.alloc(0)), 'whole');
});

testWithXz('a bomb is refused at the limit, without its content ever being held', async t => {
  const bomb = xz(Buffer.alloc(32 * MIB), '--check=crc32');
  t.true(bomb.length < 10_000);
  t.deepEqual(decodeXz(bomb, MIB), { kind: 'refused', reason: 'too-large' });
  t.deepEqual(decodeXz(bomb, 32 * MIB - 1), { kind: 'refused', reason: 'too-large' });
  t.deepEqual(await decodeAside(bomb, MIB), { kind: 'refused', reason: 'too-large' });
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

testWithXz('of many files each has its own content, in whichever order threads and memory are used again', async t => {
  const contents = Array.from({ length: 40 }, (_, i) =>
    content.subarray(0, i % 7 === 0 ? 0 : (i * 7919) % content.length),
  );
  const packed = contents.map(each => xz(each));
  // Every third is cut off, and a decoder that failed is used again.
  const sent = packed.map((bytes, i) => (i % 3 === 2 ? bytes.subarray(0, bytes.length - 9) : bytes));
  const answers = await Promise.all(sent.map(bytes => decodeAside(bytes, MIB)));
  t.deepEqual(
    answers.map((answer, i) => toldOf(answer, contents[i] ?? content)),
    contents.map((_, i) => (i % 3 === 2 ? 'truncated' : 'whole')),
  );
  // Memory that is given back is another file's then.
  for (let round = 0; round < 50; round++) {
    const answer = await decodeAside(packed[round % 40] ?? Buffer.alloc(0), MIB);
    const bytes = answer.kind === 'decoded' ? answer.bytes : Buffer.alloc(0);
    t.true(bytes.equals(contents[round % 40] ?? Buffer.alloc(1)), String(round));
    // Twice is as good as once, and the Buffer may also be collected.
    if (round % 3 > 0) giveBackXz(bytes);
    if (round % 3 > 1) giveBackXz(bytes);
    t.is(bytes.length === 0, round % 3 > 0 || (contents[round % 40] ?? '').length === 0);
  }
});

testWithXz(
  'as many files are unpacked at once as there are processors; what comes then waits for one of them',
  async t => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-xz-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const packed = xz(content);
    const [size, file] = [packed.length, path.join(folder, 'packed.xz')];
    writeFileSync(file, packed);
    // Whoever unpacks a named pipe has it until somebody writes there.
    const pipes = Array.from({ length: Number(execFileSync('nproc')) }, (_, i) => path.join(folder, `pipe-${i}`));
    for (const pipe of pipes) execFileSync('mkfifo', [pipe]);
    const stuck = pipes.map(pipe => decodeXzFile({ file: pipe, size }, MIB));
    const others = [1, 2, 3].map(() => decodeXzFile({ file, size }, MIB));
    t.is(await Promise.race([...others, pause(100, 'nobody')]), 'nobody');
    const [first = '', ...rest] = pipes;
    writeFileSync(first, packed);
    for (const answer of await Promise.all([stuck[0], ...others])) t.is(answer && toldOf(answer, content), 'whole');
    for (const pipe of rest) writeFileSync(pipe, packed);
    for (const answer of await Promise.all(stuck)) t.is(toldOf(answer, content), 'whole');
  },
);

testWithXz("memory that is given back is used next; what is somebody else's is left to them", t => {
  const packed = xz(content);
  const decode = (): Buffer => {
    const answer = decodeXz(packed, MIB);
    return answer.kind === 'decoded' ? answer.bytes : Buffer.alloc(0);
  };
  const [first, second] = [decode(), decode()];
  giveBackXz(first);
  t.deepEqual([first.length, first.buffer.byteLength], [0, 0]);
  const third = decode();
  t.true(second.equals(content) && third.equals(content));
  const own = Buffer.from('own');
  giveBackXz(own);
  giveBackXz(Buffer.alloc(0));
  t.is(own.toString(), 'own');
});

testWithXz('content that outgrows its memory again and again is whole', async t => {
  const large = Buffer.alloc(11 * MIB + 5);
  for (let at = 0; at < large.length; at += 4096) large.writeUInt32LE(at, at);
  const packed = xz(large, '-0');
  t.is(toldOf(decodeXz(packed, large.length), large), 'whole');
  t.is(toldOf(await decodeAside(packed, 64 * MIB), large), 'whole');
  t.deepEqual(decodeXz(packed, large.length - 1), { kind: 'refused', reason: 'too-large' });
});

testWithXz('a file that is not there, or shorter than was seen, is unreadable', async t => {
  const unreadable = { kind: 'refused', reason: 'unreadable' };
  t.deepEqual(await decodeXzFile({ file: '/nowhere/packed.xz', size: 9 }, MIB), unreadable);
  t.deepEqual(await decodeXzFile({ file: os.tmpdir(), size: 9 }, MIB), unreadable);
  const packed = xz(content);
  t.deepEqual(await decodeAside(packed, MIB, packed.length + 1), unreadable);
});

testWithXz('a stream whose dictionary needs more memory than any module does is refused', t => {
  const packed = xz(Buffer.from('small'), '--lzma2=dict=256MiB');
  t.deepEqual(decodeXz(packed, MIB), { kind: 'refused', reason: 'needs-too-much-memory' });
});

testWithXz('no damage to a file ever yields other bytes than were packed, of one block or several', async t => {
  const whole = content.subarray(0, 4000);
  for (const options of [[], ['--block-size=1000']]) {
    const packed = xz(whole, '--check=crc32', ...options);
    await t.notThrowsAsync(() =>
      fc.assert(
        fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
          const damaged = Buffer.from(packed);
          damaged.writeUInt8(damaged.readUInt8(at) ^ mask, at);
          const answer = await decodeAside(damaged, MIB);
          return answer.kind === 'refused' || answer.bytes.equals(whole);
        }),
        { numRuns: 300 },
      ),
    );
    t.is(toldOf(await decodeAside(packed, MIB), whole), 'whole');
  }
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
