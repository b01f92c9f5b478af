/**
 * A storm of real uevents through one device manager, or single ones at a rate. Run by main.ts inside test/support/sandbox.sh.
 * usage: storm.ts usherd|udevd COUNT ACTION RATE_PER_S|0 modalias|all → one JSON line
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { callDaemon } from '../../core/ipc/client.ts';
import { NetlinkSource } from '../../core/pipeline/1-intake/netlink-source.ts';
import { History } from '../../core/pipeline/7-ledger/history.ts';
import { wallClock } from '../../core/vocabulary/wall-clock.ts';
import { readTree, watchMemory } from './process-tree.ts';

const [who = 'usherd', countText = '50000', action = 'add', rate = '0', only = 'all'] = process.argv.slice(2);
const count = Number(countText);
const top = path.resolve(import.meta.dirname, '../..');
const stateDir = mkdtempSync(path.join(os.tmpdir(), 'usherd-bench-'));
const UDEVD = '/lib/systemd/systemd-udevd';

/** What one run told. Latencies in µs from the kernel's emission to the event being dealt with. */
interface Told {
  readonly handled: number;
  readonly endedNs: bigint;
  readonly latenciesUs: readonly number[];
}

function seqnum(): bigint {
  return BigInt(readFileSync('/sys/kernel/uevent_seqnum', 'latin1').trim());
}

async function quiet(): Promise<void> {
  for (let before = -1n; before !== seqnum();) {
    before = seqnum();
    await pause(300);
  }
}

function start(): ChildProcess {
  const env = { ...process.env };
  delete env['NODE_EXTRA_CA_CERTS'];
  const words = ['daemon', '--source', 'kernel', '--quiet', '--state-dir', stateDir, '--config-root', makeConfig()];
  const [program, args] = who === 'usherd' ? [path.join(top, 'dist/usher'), words] : [UDEVD, []];
  return spawn(program, args, { stdio: ['ignore', 'ignore', who === 'usherd' ? 'inherit' : 'ignore'], env });
}

/** The rules that come with usherd, and two plugins: one is asked of every module, one sees every device that goes. */
function makeConfig(): string {
  const root = path.join(stateDir, 'etc');
  const own = path.join(root, 'usherd');
  mkdirSync(path.join(own, 'plugins'), { recursive: true, mode: 0o755 });
  cpSync(path.join(top, 'rules'), path.join(own, 'rules.d'), { recursive: true });
  writeFileSync(
    path.join(own, 'plugins/blacklist.toml'),
    '[[settings.rules]]\nmodules = ["rare_*"]\nreason = "not here"\n',
  );
  writeFileSync(path.join(own, 'plugins/unload-unused.toml'), '');
  return root;
}

/** Until the manager answers; a socket is there a moment before anybody listens at it. */
async function ready(): Promise<void> {
  const answers =
    who === 'usherd'
      ? () =>
          settle().then(
            () => true,
            () => false,
          )
      : () => spawnSync('udevadm', ['control', '--ping']).status === 0;
  while (!(await answers())) await pause(5);
  if (who === 'udevd') spawnSync('udevadm', ['settle']);
}

async function settle(): Promise<void> {
  for await (const _ of callDaemon({ socketPath: path.join(stateDir, 'socket'), verb: 'settle' })) continue;
}

/** Counts the events that carry our UUID as udevd sends them on, dealt with. */
function listen(uuid: string): { told(): Promise<Told>; stop(): void } {
  const latenciesUs: number[] = [];
  const done = Promise.withResolvers<Told>();
  const note = (env: Readonly<Record<string, string>>): void => {
    if (env['SYNTH_UUID'] !== uuid) return;
    const endedNs = process.hrtime.bigint();
    latenciesUs.push(Number(endedNs - BigInt(env['SYNTH_ARG_T'] ?? '0')) / 1000);
    if (latenciesUs.length === count) done.resolve({ handled: count, endedNs, latenciesUs });
  };
  const source = new NetlinkSource({
    group: 'udev',
    root: { proc: '/proc' },
    receiveBufferBytes: 1024 ** 3 - 1,
    failed: done.reject,
  });
  source.start({
    uevents: batch => batch.forEach(({ env }) => note(env)),
    rejected: () => {},
    lost: () => done.reject(new Error('the listener lost events')),
  });
  return { told: () => done.promise, stop: () => source.stop() };
}

/**
 * What the ledger has of our events: from the kernel's emission to the record of what was decided, by the ledger's own times; of the event
 * itself where it asks for no driver.
 */
function readLedger(uuid: string): Omit<Told, 'endedNs'> {
  const hrtimeMs = (): number => Number(process.hrtime.bigint()) / 1e6;
  const now = wallClock(Date.now, hrtimeMs, Date.now() - hrtimeMs());
  for (const untilMs = hrtimeMs() + 50; hrtimeMs() < untilMs;) now();
  const bootedAtMs = now() - hrtimeMs();
  const history = History.open(path.join(stateDir, 'ledger.sqlite'));
  const latenciesUs: number[] = [];
  for (const { event, endedAtMs } of history.query()) {
    if (event.env['SYNTH_UUID'] !== uuid) continue;
    const madeAtMs = bootedAtMs + Number(event.env['SYNTH_ARG_T']) / 1e6;
    latenciesUs.push(((endedAtMs ?? event.receivedAtMs) - madeAtMs) * 1000);
  }
  history.close();
  return { handled: latenciesUs.length, latenciesUs };
}

function percentile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

const daemon = start();
// A manager left behind by a failure would take part in every later run.
process.on('exit', () => daemon.kill('SIGKILL'));
const pid = daemon.pid ?? 0;
await ready();
await quiet();
const uuid = randomUUID();
const listener = who === 'udevd' ? listen(uuid) : undefined;
await pause(200);
const idle = readTree(pid);
const before = seqnum();
const memory = watchMemory(pid);
const generator = spawn(
  process.execPath,
  [path.join(import.meta.dirname, 'make-uevents.ts'), countText, action, uuid, rate, only],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let printed = '';
generator.stdout.on('data', data => {
  printed += String(data);
});
await new Promise(resolve => generator.on('close', resolve));
const made = JSON.parse(printed) as { made: number; startedNs: string; endedNs: string };
const told = await listener?.told();
if (told === undefined) await settle();
const endedNs = told?.endedNs ?? process.hrtime.bigint();
const foreign = Number(seqnum() - before) - made.made;
const after = readTree(pid);
const { peakRssKb, peakProcesses } = memory.stop();
listener?.stop();
daemon.kill('SIGTERM');
await new Promise(resolve => daemon.on('close', resolve));
const { handled, latenciesUs } = told ?? readLedger(uuid);
const wallS = Number(endedNs - BigInt(made.startedNs)) / 1e9;
const sorted = latenciesUs.toSorted((a, b) => a - b);
process.stdout.write(
  `${JSON.stringify({
    who,
    count,
    handled,
    lost: count - handled,
    foreign,
    wallS: Number(wallS.toFixed(3)),
    eventsPerS: Math.round(count / wallS),
    cpuUsPerEvent: Number((((after.cpuMs - idle.cpuMs) * 1000) / count).toFixed(1)),
    idleRssKb: idle.rssKb,
    peakRssKb,
    peakProcesses,
    p50Us: percentile(sorted, 0.5),
    p99Us: percentile(sorted, 0.99),
  })}\n`,
);
