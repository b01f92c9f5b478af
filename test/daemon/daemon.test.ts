import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { walkSysfs } from '../../core/kernel/sysfs.ts';
import { coldplugged } from '../support/coldplugged.ts';
import { NetlinkSource } from '../../core/pipeline/1-intake/netlink-source.ts';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { askDaemon, jsonLines, startDaemon, usher } from '../support/usher.ts';

interface Entry {
  readonly state: string;
  readonly event: {
    readonly seqnum?: string;
    readonly devpath: string;
    readonly action: string;
    readonly origin: { readonly kind: string };
  };
}

const entry = path.resolve(import.meta.dirname, '../../core/cli/main.ts');
const real = testUnless(whyNoRealUevents(), { isSerial: true });

/** Numbers of the events the kernel sends while `act` runs, as a listener of our own hears them. */
async function kernelSeqnums(act: () => Promise<void>): Promise<readonly string[]> {
  const heard: Uevent[] = [];
  const source = new NetlinkSource({
    group: 'kernel',
    root: { proc: '/proc' },
    failed: error => {
      throw error;
    },
  });
  source.start({
    uevents: batch => void heard.push(...batch),
    rejected: () => {},
    lost: () => {
      throw new Error('our own listener lost events');
    },
  });
  await act();
  source.stop();
  return heard.map(({ seqnum }) => String(seqnum));
}

real('every event of the kernel is in the history, in order, none missing', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe']);
  const seqnums = await kernelSeqnums(async () => {
    for (const { devpath } of walkSysfs({ sys: '/sys' }).slice(0, 400)) writeFileSync(`/sys${devpath}/uevent`, 'add');
    execFileSync('ip', ['link', 'add', 'usherdt0', 'type', 'veth', 'peer', 'name', 'usherdt1']);
    execFileSync('ip', ['link', 'del', 'usherdt0']);
    t.is((await usher('settle', '--state-dir', daemon.stateDir)).status, 0);
  });
  const history = jsonLines<Entry>(await usher('history', '--state-dir', daemon.stateDir, '--json'));
  const recorded = history.flatMap(({ event }) => (event.origin.kind === 'kernel' ? [String(event.seqnum)] : []));
  t.true(seqnums.length > 400);
  // Other tests of this machine make events too, before and after: between our first and last there is none missing.
  const from = recorded.indexOf(seqnums[0] ?? '');
  t.deepEqual(recorded.slice(from, from + seqnums.length), seqnums);
  t.true(history.some(({ event }) => event.devpath === '/devices/virtual/net/usherdt1' && event.action === 'remove'));
  t.is(await daemon.stop(), 0);
});

real('coldplug records every device of /sys, those that wait for a driver first', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe']);
  await usher('settle', '--state-dir', daemon.stateDir);
  const history = jsonLines<Entry>(await usher('history', '--state-dir', daemon.stateDir, '--json'));
  const told = history.filter(({ event }) => event.origin.kind === 'coldplug').map(({ event }) => event.devpath);
  const { waiting, others } = await coldplugged({ sys: '/sys' });
  t.deepEqual(
    told,
    [...waiting, ...others].map(({ devpath }) => devpath),
  );
  t.is(await daemon.stop(), 0);
});

real('kill -9 loses no entry that was committed, and the next start goes on', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe']);
  await usher('settle', '--state-dir', daemon.stateDir);
  const before = jsonLines<Entry>(await usher('history', '--state-dir', daemon.stateDir, '--json'));
  await daemon.kill();
  const after = jsonLines<Entry>(await usher('history', '--state-dir', daemon.stateDir, '--json'));
  // Other tests of this machine make events all the time.
  t.deepEqual(after.slice(0, before.length), before);
  const next = await startDaemon(['--source', 'kernel', '--observe'], daemon.stateDir);
  await usher('settle', '--state-dir', next.stateDir);
  const all = jsonLines<Entry>(await usher('history', '--state-dir', next.stateDir, '--json'));
  t.deepEqual(all.slice(0, before.length), before);
  t.true(all.slice(after.length).some(({ event }) => event.origin.kind === 'coldplug'));
  t.is(await next.stop(), 0);
});

real('a state folder that cannot be made is refused with the reason', async t => {
  const { status, stderr } = await usher('daemon', '--observe', '--state-dir', '/proc/usherd-test/state');
  t.is(status, 4);
  t.regex(stderr, /^usher: \/proc\/usherd-test: the state folder cannot be made: ENOENT/);
});

real('a daemon that cannot make its socket says so, ends its run and itself', async t => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'usherd-socket-'));
  t.teardown(() => rmSync(stateDir, { recursive: true }));
  mkdirSync(path.join(stateDir, 'socket'));
  const { status, stderr } = await usher('daemon', '--observe', '--source', 'kernel', '--state-dir', stateDir);
  t.not(status, 0);
  t.true(stderr.includes(path.join(stateDir, 'socket')), stderr);
  const incidents = await usher('history', '--incidents', '--state-dir', stateDir);
  t.regex(incidents.stdout, /it cannot be asked anything/);
});

real('two daemons do not write one ledger', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug']);
  const second = await usher('daemon', '--state-dir', daemon.stateDir, '--observe');
  t.is(second.status, 7);
  t.regex(second.stderr, /another usherd|writes this ledger|process \d+/);
  t.is(await daemon.stop(), 0);
});

real('status tells what runs, and says so when nothing does', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug']);
  const [status] = jsonLines<{ pid: number; mode: string; source: string }>(
    await usher('status', '--state-dir', daemon.stateDir, '--json'),
  );
  t.like(status, { pid: daemon.process.pid, mode: 'observe', source: 'kernel' });
  t.is(await daemon.stop(), 0);
  const gone = await usher('status', '--state-dir', daemon.stateDir);
  t.is(gone.status, 9);
  t.is(gone.stderr, `usher: no daemon answers at ${daemon.stateDir}/socket\n  usher daemon starts one\n`);
});

real('a daemon says what receive buffer it got', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug', '--receive-buffer', '64KiB']);
  // The kernel grants twice what was asked for, and 64 KiB needs nobody's leave.
  t.regex(
    daemon.printed.find(line => line.startsWith('source')) ?? '',
    /; receive buffer 128\.0 KiB by SO_RCVBUF(FORCE)?$/,
  );
  t.is(await daemon.stop(), 0);
});

real('monitor shows an event as it comes, and what was done about it', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug']);
  const monitor = spawn(process.execPath, [entry, 'monitor', '--json', '--state-dir', daemon.stateDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: monitor.stdout });
  const told: { kind: string; event: { synthUuid?: string; devpath: string } }[] = [];
  lines.on('line', line => told.push(JSON.parse(line) as (typeof told)[number]));
  const device = walkSysfs({ sys: '/sys' }).find(({ modalias }) => modalias !== undefined)?.devpath ?? '';
  // The monitor connects in its own time: events are made until it has seen one through.
  while (!told.some(({ kind }) => kind === 'handled')) {
    await usher('trigger', device, '--action', 'add', '--state-dir', daemon.stateDir);
  }
  monitor.kill('SIGINT');
  await once(monitor, 'exit');
  t.is(monitor.exitCode, 0);
  const handled = told.find(({ kind }) => kind === 'handled');
  t.is(handled?.event.devpath, device);
  t.true(told.some(({ kind, event }) => kind === 'received' && event.synthUuid === handled?.event.synthUuid));
  t.is(await daemon.stop(), 0);
});

real('what the daemon answers a client has all that it did until then', async t => {
  const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug']);
  t.teardown(() => daemon.kill());
  const words = 'history --incidents --kind reload --json -n 9 --state-dir'.split(' ').concat(daemon.stateDir);
  const reloads = async (): Promise<number> => {
    const replies = await askDaemon(daemon, 'answer', { words });
    const texts = (replies as readonly { readonly out?: string }[]).map(({ out = '' }) => Buffer.from(out, 'base64'));
    return Buffer.concat(texts).toString().split('\n').length - 1;
  };
  t.is(await reloads(), 0);
  await askDaemon(daemon, 'reload');
  t.is(await reloads(), 1);
});
