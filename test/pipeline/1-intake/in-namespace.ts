/**
 * Run as root of a user and network namespace of its own (`unshare -Urn`), where real uevents can be had without hardware: what is sent
 * to the kernel's port comes back on group 1, and nobody else sends any. The argument names a case; what the sink was told is printed.
 */
import { execFileSync } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { native } from '../../../core/kernel/native.ts';
import { NetlinkGroup } from '../../../core/kernel/netlink-socket.ts';
import { NetlinkSource, type NetlinkSourceOptions } from '../../../core/pipeline/1-intake/netlink-source.ts';
import { encodeUdevMessage } from '../../../core/pipeline/1-intake/udev-message.ts';
import { injectUevent } from '../../support/machine.ts';
import { KeepingSink } from './keeping-sink.ts';

const sink = new KeepingSink();
let taps = 0;

function source(options: Partial<NetlinkSourceOptions>): NetlinkSource {
  return new NetlinkSource({
    group: 'kernel',
    root: { proc: '/proc' },
    receiveBufferBytes: 1 << 20,
    failed: error => {
      throw error;
    },
    tap: () => (taps += 1),
    ...options,
  });
}

const inject = (name: string, ...more: string[]): number =>
  injectUevent([`add@/devices/${name}`, 'ACTION=add', `DEVPATH=/devices/${name}`, 'SUBSYSTEM=test', ...more]);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

const CASES: Record<string, () => Promise<unknown>> = {
  async injected() {
    const it = source({});
    it.start(sink);
    inject('a');
    await until(() => sink.order.length === 1);
    it.stop();
    return { pid: process.pid };
  },
  async 'injected-accepted'() {
    const it = source({ acceptInjected: true });
    const facts = it.start(sink);
    inject('a', 'A=1');
    injectUevent(['add@/devices/a', 'ACTION=add', 'DEVPATH=/devices/b', 'SUBSYSTEM=test']);
    inject('c');
    await until(() => sink.order.length === 3);
    it.stop();
    inject('after-stop');
    await nextTurn();
    return { pid: process.pid, group: facts.group };
  },
  async 'too-long'() {
    return { fits: inject('a', `X=${'x'.repeat(1900)}`), tooLong: inject('a', `X=${'x'.repeat(2100)}`) };
  },
  async spoofed() {
    const it = source({ acceptInjected: true });
    const { portId } = it.start(sink);
    const message = Buffer.from('add@/devices/a\0ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=s\0SEQNUM=1\0');
    const multicast = native().netlinkSend(0, NetlinkGroup.kernel, message);
    const unicast = native().netlinkSend(portId, 0, message);
    const isMulticastTold = sink.order.length;
    await until(() => sink.order.length === 2);
    it.stop();
    return { pid: process.pid, multicast, unicast, isMulticastTold };
  },
  async udev() {
    const it = source({ group: 'udev' });
    const { portId } = it.start(sink);
    const properties = { ACTION: 'add', DEVPATH: '/devices/a', SUBSYSTEM: 'usb', SEQNUM: '7', TAGS: ':seat:' };
    native().netlinkSend(0, NetlinkGroup.udev, encodeUdevMessage(properties));
    native().netlinkSend(portId, 0, encodeUdevMessage(properties));
    // 200 KiB of properties: longer than a slot.
    native().netlinkSend(0, NetlinkGroup.udev, encodeUdevMessage({ ...properties, LONG: 'x'.repeat(200_000) }));
    native().netlinkSend(0, NetlinkGroup.udev, encodeUdevMessage({ ...properties, SEQNUM: '8' }));
    await until(() => sink.order.length === 4);
    it.stop();
    return { pid: process.pid };
  },
  async veth() {
    const it = source({});
    it.start(sink);
    execFileSync('ip', ['link', 'add', 'ush0', 'type', 'veth', 'peer', 'name', 'ush1']);
    execFileSync('ip', ['link', 'del', 'ush0']);
    const isRemoved = (name: string): boolean => sink.order.includes(`remove /devices/virtual/net/${name}`);
    await until(() => isRemoved('ush0') && isRemoved('ush1'));
    it.stop();
    const own = sink.events.filter(({ devpath }) => /\/ush[01]$/.test(devpath));
    return own
      .map(({ action, devpath, origin }) => `${action} ${devpath} ${origin.kind}`)
      .toSorted((a, b) => (a < b ? -1 : 1));
  },
  async overrun() {
    const it = source({ acceptInjected: true, receiveBufferBytes: 2304, force: false });
    it.start(sink);
    // The event loop is blocked while these are made, as by a long garbage collection.
    for (let i = 0; i < 3000; i += 1) inject(`first/${i}`);
    await until(() => sink.losses.length === 1);
    const received = sink.events.length;
    for (let i = 0; i < 2000; i += 1) inject(`second/${i}`);
    await until(() => sink.losses.length === 2);
    const later = sink.events.length;
    inject('third');
    await until(() => sink.events.length > later);
    it.stop();
    const [first, second] = sink.losses;
    return {
      first: BigInt(received) + (first?.dropped ?? 0n),
      second: BigInt(later - received) + (second?.dropped ?? 0n),
      someWereDropped: (first?.dropped ?? 0n) > 2000n && (second?.dropped ?? 0n) > 1000n,
      last: sink.events.at(-1)?.devpath,
    };
  },
};

/** Fields that differ from run to run are left out. */
function shown(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

const answer = await CASES[process.argv[2] ?? '']?.();
const told = {
  taps,
  order: sink.order,
  events: sink.events.map(({ action, devpath, subsystem, origin }) => ({ action, devpath, subsystem, origin })),
  rejections: sink.rejections.map(({ kind, reason, sender, offsetBytes, lengthBytes, head }) => ({
    kind,
    reason,
    sender,
    offsetBytes,
    lengthBytes,
    head,
  })),
};
process.stdout.write(JSON.stringify({ answer, ...(sink.order.length > 10 ? {} : told) }, shown));
