import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { native } from '../../core/kernel/native.ts';
import { NetlinkGroup, openNetlink, type NetlinkListener } from '../../core/kernel/netlink-socket.ts';
import { netlinkDrops, parseNetlinkDrops } from '../../core/kernel/proc-netlink.ts';
import { ueventFiles, whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const testOnSysfs = testUnless(whyNoRealUevents());

/** A listener that keeps the text of every datagram with `mark` in it, and counts overruns. */
function keeper(
  mark: string,
): NetlinkListener & { texts: string[]; overruns: number; drains: number; senders: unknown[] } {
  return {
    texts: [],
    senders: [],
    overruns: 0,
    drains: 0,
    batch(batch) {
      for (let i = 0; i < batch.count; i += 1) {
        const text = batch.bytes.toString('latin1', batch.start(i), batch.end(i));
        if (!text.includes(mark)) continue;
        this.texts.push(text);
        this.senders.push(batch.sender(i));
      }
    },
    overrun() {
      this.overruns += 1;
    },
    drained() {
      this.drains += 1;
    },
    failed(error) {
      throw error;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}

testOnSysfs('every uevent of hundreds written to /sys arrives once, from the kernel, with a rising SEQNUM', async t => {
  const uuid = randomUUID();
  const kept = keeper(uuid);
  const socket = openNetlink({ groups: NetlinkGroup.kernel }, kept);
  const files = ueventFiles();
  for (const file of files) writeFileSync(file, `change ${uuid}`);
  await until(() => kept.texts.length >= files.length);
  socket.close();
  t.true(files.length > 100);
  t.is(kept.texts.length, files.length);
  const seqnums = kept.texts.map(text => BigInt(/\0SEQNUM=([0-9]+)\0/.exec(text)?.[1] ?? 0));
  t.deepEqual(
    seqnums,
    seqnums.toSorted((a, b) => (a < b ? -1 : 1)),
  );
  t.is(new Set(seqnums).size, files.length);
  const kernel = { family: 16, nlPid: 0, nlGroups: 1, credentials: { pid: 0, uid: 0, gid: 0 } };
  t.deepEqual(
    kept.senders,
    files.map(() => kernel),
  );
});

testOnSysfs('an overrun is told with the exact number dropped, and the socket goes on receiving', async t => {
  const uuid = randomUUID();
  const kept = keeper(uuid);
  const socket = openNetlink({ groups: NetlinkGroup.kernel, receiveBufferBytes: 2304, force: false }, kept);
  t.is(netlinkDrops({ proc: '/proc' }, socket.portId), 0n);
  const lo = '/sys/devices/virtual/net/lo/uevent';
  const written = 5000;
  for (let i = 0; i < written; i += 1) writeFileSync(lo, `change ${uuid}`);
  await until(() => kept.drains > 0);
  t.true(kept.overruns >= kept.drains);
  // Others on the machine may make uevents as well, which are dropped like ours, so the sum may be higher than what was written.
  const drops = netlinkDrops({ proc: '/proc' }, socket.portId) ?? -1n;
  t.true(BigInt(kept.texts.length) + drops >= BigInt(written));
  t.true(drops > 4000n);
  const later = randomUUID().replaceAll('-', '');
  // Others' uevents may fill so small a buffer at any moment, so it is said until it is heard.
  while (!kept.texts.some(text => text.includes(`SYNTH_ARG_LATER=${later}`))) {
    writeFileSync(lo, `change ${uuid} LATER=${later}`);
    await sleep(20);
  }
  socket.close();
});

testOnSysfs('a listener may close its socket while it is being told of a batch, and hears no more', async t => {
  const uuid = randomUUID();
  let calls = 0;
  const socket = openNetlink(
    { groups: NetlinkGroup.kernel },
    {
      batch() {
        calls += 1;
        socket.close();
      },
      overrun() {},
      drained() {},
      failed() {},
    },
  );
  const files = ueventFiles().slice(0, 300);
  for (const file of files) writeFileSync(file, `change ${uuid}`);
  await until(() => calls > 0);
  await sleep(20);
  t.is(calls, 1);
  t.false(native().netlinkClose(1_000_000));
});

testOnSysfs('two sockets each hear the same uevents', async t => {
  const uuid = randomUUID();
  const [first, second] = [keeper(uuid), keeper(uuid)];
  const sockets = [first, second].map(kept => openNetlink({ groups: NetlinkGroup.kernel }, kept));
  writeFileSync('/sys/devices/virtual/net/lo/uevent', `change ${uuid}`);
  await until(() => first.texts.length === 1 && second.texts.length === 1);
  for (const socket of sockets) socket.close();
  t.deepEqual(first.texts, second.texts);
  t.not(sockets[0]?.portId, sockets[1]?.portId);
});

test('a worker with an open socket can be ended at any moment', async t => {
  const file = path.resolve(process.env['USHERD_NATIVE'] ?? 'dist/usherd.node');
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const addon = { exports: {} };
     process.dlopen(addon, ${JSON.stringify(file)});
     for (let i = 0; i < 3; i++) addon.exports.netlinkOpen(1, 65536, false, 16, 8192, () => {});
     addon.exports.deleteModule('usherd_is_not_a_module', 2048);
     parentPort.postMessage('open');`,
    { eval: true },
  );
  await new Promise(resolve => worker.once('message', resolve));
  t.is(await worker.terminate(), 1);
});

test('the receive buffer is granted beyond the limit by force, and the socket says how', t => {
  const listener = keeper('');
  const plain = openNetlink({ groups: 0, receiveBufferBytes: 65_536, force: false }, listener);
  t.deepEqual([plain.how, plain.grantedBytes, plain.groups], ['SO_RCVBUF', 131_072, 0]);
  plain.close();
  const forced = openNetlink({ groups: 0 }, listener);
  if (forced.how === 'SO_RCVBUFFORCE') t.is(forced.grantedBytes, 2 * 128 * 1024 * 1024);
  else t.true(forced.grantedBytes > 0);
  forced.close();
});

test('a descriptor that is no uevent socket is not adopted', t => {
  const listener = keeper('');
  const fd = openSync('/dev/null', 'r');
  const error = t.throws(() => openNetlink({ groups: 1, adoptFd: fd }, listener), { code: 'NETLINK_UNAVAILABLE' });
  t.regex(
    error?.message ?? '',
    /^opening a uevent socket for groups 1 failed: ENOTSOCK, Socket operation on non-socket$/,
  );
  closeSync(fd);
});

test('every wrong argument is a TypeError that names the call and the argument', t => {
  const addon = native() as unknown as Record<string, (...values: unknown[]) => unknown>;
  const bytes = new Uint8Array(1);
  const cases: [string, unknown[], string][] = [
    ['netlinkOpen', [], 'netlinkOpen: got 0 arguments, wants 6'],
    ['netlinkOpen', ['1', 0, true, 1, 8192, () => {}], 'netlinkOpen: groups must be an integer from 0 to 4294967295'],
    ['netlinkOpen', [-1, 0, true, 1, 8192, () => {}], 'netlinkOpen: groups must be an integer from 0 to 4294967295'],
    [
      'netlinkOpen',
      [1, 0.5, true, 1, 8192, () => {}],
      'netlinkOpen: receiveBufferBytes must be an integer from 0 to 1073741823',
    ],
    ['netlinkOpen', [1, 0, 1, 1, 8192, () => {}], 'netlinkOpen: force must be true or false'],
    ['netlinkOpen', [1, 0, true, Number.NaN, 8192, () => {}], 'netlinkOpen: slots must be an integer from 1 to 1024'],
    ['netlinkOpen', [1, 0, true, 1024, 1048576, () => {}], 'netlink: slots times slotBytes must be at most 64 MiB'],
    ['netlinkOpen', [1, 0, true, 1, 8192, {}], 'netlinkOpen: onWake must be a function'],
    ['netlinkSend', [0, 0, 'text'], 'netlinkSend: bytes must be a Uint8Array'],
    ['netlinkInject', [new Uint16Array(2)], 'netlinkInject: bytes must be a Uint8Array'],
    ['netlinkClose', [undefined], 'netlinkClose: id must be an integer from 1 to 4294967295'],
    ['finitModules', [[], [], -1], 'finitModules: files must be an array of path, parameters and flags of each'],
    ['finitModules', [['x', ''], [], -1], 'finitModules: files must be an array of path, parameters and flags of each'],
    ['finitModules', ['x', [], -1], 'finitModules: files must be an array of path, parameters and flags of each'],
    [
      'finitModules',
      [Array.from({ length: 387 }, () => 'x'), [], -1],
      'finitModules: files must be an array of path, parameters and flags of each',
    ],
    ['finitModules', [[3, '', 0], [], -1], 'finitModules: path must be a string'],
    [
      'finitModules',
      [['x'.repeat(4096), '', 0], [], -1],
      'finitModules: path must be a string of at most 4095 bytes, got 4096',
    ],
    ['finitModules', [['x', 1, 0], [], 5], 'finitModules: parameters must be a string'],
    ['finitModules', [['x', '', 0, 'x', 'a\0b', 0], [], -1], 'finitModules: parameters must be a string without a NUL'],
    ['finitModules', [['x', '', 2 ** 31], [], -1], 'finitModules: flags must be an integer from 0 to 2147483647'],
    ['finitModules', [['x', '', 0], [], -2], 'finitModules: putFd must be an integer from -1 to 2147483647'],
    ['finitModules', [['x', '', 0], [0], -1], 'finitModules: needs must be an array of pairs of places'],
    ['finitModules', [['x', '', 0], [1, 0], -1], 'finitModules: needs must be an integer from 0 to 0'],
    ['finitModules', [['x', '', 0, 'y', '', 0], [1, 1], 5], 'finitModules: needs must be an integer from 0 to 0'],
    ['finitModules', [['x', '', 0], []], 'finitModules: got 2 arguments, wants 3'],
    ['lockFile', [-1], 'lockFile: fd must be an integer from 0 to 2147483647'],
    ['isLocked', ['0'], 'isLocked: fd must be an integer from 0 to 2147483647'],
    ['readText', [{}], 'readText: file must be a string'],
    ['readTexts', ['/x'], 'readTexts: files must be an array of at most 65536 strings'],
    ['readTexts', [['/x', 1]], 'readTexts: file must be a string'],
    ['writeText', ['/x', bytes], 'writeText: text must be a string'],
    ['writeText', ['/x', 'x'.repeat(4097)], 'writeText: text must be a string of at most 4096 bytes, got 4097'],
    ['initModule', [new ArrayBuffer(4), ''], 'initModule: image must be a Uint8Array'],
    ['deleteModule', [null, 0], 'deleteModule: name must be a string'],
    ['deleteModule', ['x'.repeat(256), 0], 'deleteModule: name must be a string of at most 255 bytes, got 256'],
    ['peerCredentials', [{}], 'peerCredentials: fd must be an integer from 0 to 2147483647'],
    ['unixSend', [7, bytes], 'unixSend: address must be a string'],
    ['unixSend', ['/run/x', [1]], 'unixSend: bytes must be a Uint8Array'],
    ['xzDecode', [bytes, 0], 'xzDecode: maxBytes must be an integer from 1 to 1073741824'],
    ['xzDecode', ['', 1], 'xzDecode: bytes must be a Uint8Array'],
    ['xzDecodeFile', ['/x', 1, 2 ** 40], 'xzDecodeFile: maxBytes must be an integer from 1 to 1073741824'],
    ['xzDecodeFile', ['/x', -1, 1], 'xzDecodeFile: sizeBytes must be an integer from 0 to 1073741824'],
    ['xzDecodeFile', [bytes, 1, 1], 'xzDecodeFile: file must be a string'],
    ['xzGiveBack', ['x'], 'xzGiveBack: bytes must be a Uint8Array'],
  ];
  for (const [call, values, message] of cases) {
    t.throws(() => addon[call]?.(...values), { instanceOf: TypeError, message }, `${call}(${values.length} values)`);
  }
});

test('Drops of one uevent socket are read from /proc/net/netlink', t => {
  const text = [
    'sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode',
    '00000000d1e27ee9 0   4242       00000000 0        0        0     2        7        4       ',
    '000000005d2f0f91 15  4242       00000001 768      0        0     2        378326   1587    ',
    '000000005d2f0f92 15  4243       00000001 0        0        0     2',
    '',
  ].join('\n');
  t.is(parseNetlinkDrops(text, 4242), 378_326n);
  t.is(parseNetlinkDrops(text, 4243), undefined);
  t.is(parseNetlinkDrops(text, 1), undefined);
  t.is(parseNetlinkDrops('', 4242), undefined);
  t.is(netlinkDrops({ proc: '/nonexistent' }, 1), undefined);
  t.true(readFileSync('/proc/net/netlink', 'latin1').startsWith(text.slice(0, 20)));
});
