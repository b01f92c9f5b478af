import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { foreignNamespaceWarning, NetlinkSource } from '../../../core/pipeline/1-intake/netlink-source.ts';
import { ueventFiles, whyNoNamespaces, whyNoRealUevents, whyNoVeth } from '../../support/machine.ts';
import { testUnless } from '../../support/skip-aloud.ts';
import { KeepingSink } from './keeping-sink.ts';

const testInNamespace = testUnless(whyNoNamespaces());

interface Told {
  readonly answer: Record<string, unknown> & { readonly pid?: number };
  readonly taps?: number;
  readonly order?: string[];
  readonly events?: unknown[];
  readonly rejections?: unknown[];
}

/** Runs one case of in-namespace.ts. */
async function inNamespace(name: string): Promise<Told> {
  const script = path.join(import.meta.dirname, 'in-namespace.ts');
  const { stdout } = await promisify(execFile)('unshare', ['-Urn', process.execPath, script, name]);
  return JSON.parse(stdout) as Told;
}

testInNamespace('what a process had the kernel send is refused by default, with the process', async t => {
  const { answer, ...told } = await inNamespace('injected');
  const [rejection] = told.rejections as { lengthBytes: number; head: string }[];
  t.deepEqual(told, {
    taps: 0,
    order: ['rejected sender'],
    events: [],
    rejections: [
      {
        kind: 'sender',
        reason: `process ${answer.pid} had the kernel send it; true kernel events have process 0`,
        sender: { family: 16, nlPid: 0, nlGroups: 1, credentials: { pid: answer.pid, uid: 0, gid: 0 } },
        lengthBytes: rejection?.lengthBytes,
        head: rejection?.head,
      },
    ],
  });
  t.regex(
    rejection?.head ?? '',
    /^add@\/devices\/a\0ACTION=add\0DEVPATH=\/devices\/a\0SUBSYSTEM=test\0SEQNUM=[0-9]+\0$/,
  );
});

testInNamespace(
  'under the test switch it is taken, marked as injected, and a message that contradicts itself is not',
  async t => {
    const { answer, ...told } = await inNamespace('injected-accepted');
    const origin = { kind: 'injected', pid: answer.pid };
    t.deepEqual(answer, { pid: answer.pid, group: 'kernel' });
    const [rejection] = told.rejections as { lengthBytes: number; head: string; sender: unknown }[];
    t.deepEqual(told, {
      taps: 3,
      order: ['add /devices/a', 'rejected message', 'add /devices/c'],
      events: [
        { action: 'add', devpath: '/devices/a', subsystem: 'test', origin },
        { action: 'add', devpath: '/devices/c', subsystem: 'test', origin },
      ],
      rejections: [
        {
          kind: 'message',
          reason: 'the header says "/devices/a", DEVPATH says "/devices/b"',
          sender: rejection?.sender,
          offsetBytes: 4,
          lengthBytes: rejection?.lengthBytes,
          head: rejection?.head,
        },
      ],
    });
  },
);

testInNamespace('the kernel itself refuses to send on more than a uevent may have', async t => {
  const { answer } = await inNamespace('too-long');
  t.deepEqual(answer, { fits: 0, tooLong: -22 });
});

testInNamespace(
  'a process that multicasts to the kernel group, or unicasts to us, is refused even under the test switch',
  async t => {
    const { answer, rejections, order } = await inNamespace('spoofed');
    t.deepEqual(order, ['rejected sender', 'rejected sender']);
    t.deepEqual([answer['multicast'], answer['unicast']], [0, 0]);
    const [multicast, unicast] = rejections as { reason: string; sender: { nlPid: number } }[];
    t.is(
      multicast?.reason,
      `process ${answer.pid} multicast it from port ${multicast?.sender.nlPid}; the kernel's port is 0`,
    );
    t.is(unicast?.reason, `process ${answer.pid} sent it to our port alone, not to group 1`);
  },
);

testInNamespace(
  'messages of udevd are taken from its group alone, and one longer than our buffer is a loss',
  async t => {
    const { answer, ...told } = await inNamespace('udev');
    const event = { action: 'add', devpath: '/devices/a', subsystem: 'usb', origin: { kind: 'udev', pid: answer.pid } };
    t.deepEqual(told.order, ['add /devices/a', 'rejected sender', 'lost truncated', 'add /devices/a']);
    t.deepEqual(told.events, [event, event]);
    t.is(told.taps, 2);
  },
);

testInNamespace('every uevent made is either received or counted as dropped, overrun after overrun', async t => {
  const { answer } = await inNamespace('overrun');
  t.deepEqual(answer, { first: '3000n', second: '2000n', someWereDropped: true, last: '/devices/third' });
});

testUnless(whyNoRealUevents())(
  'true kernel events of hundreds of devices come through as such, in the order of their numbers',
  async t => {
    const uuid = randomUUID();
    const sink = new KeepingSink();
    const source = new NetlinkSource({
      group: 'kernel',
      root: { proc: '/proc' },
      failed: error => t.fail(error.message),
    });
    source.start(sink);
    t.teardown(() => source.stop());
    const files = ueventFiles();
    for (const file of files) writeFileSync(file, `change ${uuid}`);
    const own = (): typeof sink.events => sink.events.filter(event => event.synthUuid === uuid);
    while (own().length < files.length) await nextTurn();
    source.stop();
    t.deepEqual(
      own().map(({ action, devpath, origin }) => [action, `/sys${devpath}/uevent`, origin.kind]),
      files.map(file => ['change', file, 'kernel']),
    );
    const seqnums = own().map(event => event.seqnum ?? 0n);
    t.deepEqual(
      seqnums,
      seqnums.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    t.deepEqual([sink.losses, sink.rejections.filter(({ kind }) => kind === 'message')], [[], []]);
  },
);

testUnless(whyNoNamespaces() ?? whyNoVeth())(
  'a pair of network devices that comes and goes is told by add and remove, as true kernel events',
  async t => {
    const { answer } = await inNamespace('veth');
    t.deepEqual(answer as unknown, [
      'add /devices/virtual/net/ush0 kernel',
      'add /devices/virtual/net/ush1 kernel',
      'remove /devices/virtual/net/ush0 kernel',
      'remove /devices/virtual/net/ush1 kernel',
    ]);
  },
);

test('a foreign network namespace is warned of, and one that may not be looked at is not', t => {
  const proc = mkdtempSync(path.join(tmpdir(), 'usherd-proc-'));
  t.teardown(() => rmSync(proc, { recursive: true }));
  for (const process of ['self', '1']) mkdirSync(path.join(proc, process, 'ns'), { recursive: true });
  symlinkSync('net:[4026531840]', path.join(proc, 'self/ns/net'));
  t.is(foreignNamespaceWarning({ proc }), undefined);
  symlinkSync('net:[4026531840]', path.join(proc, '1/ns/net'));
  t.is(foreignNamespaceWarning({ proc }), undefined);
  rmSync(path.join(proc, '1/ns/net'));
  symlinkSync('net:[4026532000]', path.join(proc, '1/ns/net'));
  t.is(
    foreignNamespaceWarning({ proc }),
    'usherd is in the network namespace net:[4026531840], the system in net:[4026532000]: it will miss uevents',
  );
});
