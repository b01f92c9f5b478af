import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Uevent } from '../../core/pipeline/1-intake/uevent.ts';
import { UeventQueue } from '../../core/pipeline/1-intake/uevent-queue.ts';
import { applyRules } from '../../core/pipeline/4-policy/rules/apply-rules.ts';
import { subjectOfEvent } from '../../core/pipeline/4-policy/rules/rule-subject.ts';
import { SystemContext } from '../../core/pipeline/4-policy/rules/system-context.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';
import { AliasMatcher } from '../../core/kmod/lookup/alias-matcher.ts';
import { definePlugin } from '../../core/plugin-api/index.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';
import type { Seqnum } from '../../core/vocabulary/seqnum.ts';
import { ruleSetOf } from '../support/rule-world.ts';
import { stickAsks } from '../support/plugin-world.ts';
import type { Figure } from './figure.ts';
import { History } from '../../core/pipeline/7-ledger/history.ts';
import { begin, devpath, fillLedger } from './ledger.ts';
import { timeEach, withHost } from './plugins.ts';

/** How work grows: what one unit costs at a size and at ten times that size; a ratio near 1 is straight, one near 10 bends. */
export async function benchScaling(isShort: boolean): Promise<readonly Figure[]> {
  const small = isShort ? 1 : 10;
  return [
    await grown('events waiting at once, per event', small * 1000, queueEvents),
    await grown('aliases, per look-up that misses', small * 1000, lookUp),
    await grown('rules that name other devices, per event', small * 10, applyMany),
    await grown('plugins with an opinion, per question', 3, askPlugins),
    await grown('events recorded, per event', small * 5000, recordMany),
    await grown('entries, the newest of a device', small * 10_000, askLedger),
  ];
}

/** Cost of one unit in µs at this size. */
type Cost = (size: number) => Promise<number> | number;

async function grown(what: string, size: number, cost: Cost): Promise<Figure> {
  await cost(size); // What is compiled and cached on the way is no part of it.
  const [few, many] = [await cost(size), await cost(size * 10)];
  const title = `${what}, ${size * 10} beside ${size}`;
  return {
    bench: 'scaling',
    what: title,
    ours: many,
    peer: few,
    unit: 'µs',
    ratio: many / few,
    target: '<= 10',
    isMoreBetter: false,
  };
}

function uevent(n: number, subsystem = 'block'): Uevent {
  const place = `/devices/virtual/${subsystem}/d${n}` as Devpath;
  return {
    action: 'add',
    devpath: place,
    subsystem,
    seqnum: BigInt(n) as Seqnum,
    env: { ACTION: 'add', DEVPATH: place, SUBSYSTEM: subsystem, DEVNAME: `d${n}` },
    origin: { kind: 'kernel' },
    receivedAtMs: 0,
  };
}

/** So many events of as many devices, none of which is done before all have come. */
async function queueEvents(count: number): Promise<number> {
  const events = Array.from({ length: count }, (_, n) => uevent(n));
  const gate = Promise.withResolvers<void>();
  const queue = new UeventQueue<number>({ handle: () => gate.promise, failed: () => undefined });
  const before = performance.now();
  for (const [n, event] of events.entries()) queue.push(event, n);
  gate.resolve();
  await queue.settled;
  return ((performance.now() - before) * 1000) / count;
}

async function lookUp(count: number): Promise<number> {
  const entries = Array.from({ length: count }, (_, n) => ({
    key: `pci:v0000${n.toString(16).padStart(4, '0').toUpperCase()}d*sv*sd*bc*sc*i*`,
    value: moduleName(`m${n}`),
    priority: n,
  }));
  const matcher = AliasMatcher.build(entries, {});
  const texts = Array.from({ length: 5000 }, (_, n) => `pci:v0001${(n % 0xffff).toString(16)}d1sv1sd1bc1sc1i1`);
  const before = performance.now();
  for (const text of texts) matcher.match(text);
  return ((performance.now() - before) * 1000) / texts.length;
}

async function applyMany(count: number): Promise<number> {
  const lines = Array.from({ length: count }, (_, n) => `SUBSYSTEM=="block", KERNEL=="x${n}*", ENV{A${n}}="1"`);
  const set = ruleSetOf(`${lines.join('\n')}\n`);
  const roots = systemRoot({ root: '/nonexistent' }, { env: {}, uid: 0 });
  const context = new SystemContext(roots, () => undefined);
  const options = { runProgram: () => Promise.resolve(undefined), counts: true };
  const subject = subjectOfEvent(uevent(1), roots);
  const before = performance.now();
  for (let round = 0; round < 2000; round++) await applyRules(set, subject, context, options);
  return ((performance.now() - before) * 1000) / 2000;
}

async function askPlugins(count: number): Promise<number> {
  const plugins = Array.from({ length: count }, (_, n) =>
    definePlugin({ name: `p${n}`, api: 1, hooks: [{ kind: 'opine', onError: 'deny', call: () => undefined }] }),
  );
  const bundled = Object.fromEntries(plugins.map(plugin => [plugin.name, async () => ({ default: plugin })]));
  const files = Object.fromEntries(plugins.map(({ name }) => [`${name}.toml`, '']));
  return withHost(bundled, files, async host => {
    const times = await timeEach(5000, () => host.opinions.opinionsOn(stickAsks('usb_storage')));
    return times[times.length >> 1] ?? Number.NaN;
  });
}

function recordMany(count: number): number {
  return inFolder(folder => {
    const ledger = begin(path.join(folder, 'grown'));
    const before = performance.now();
    for (let n = 0; n < count; n += 1) ledger.record(uevent(n % 2000));
    ledger.flush();
    const took = performance.now() - before;
    ledger.close('bench over');
    return (took * 1000) / count;
  });
}

function askLedger(count: number): number {
  return inFolder(folder => {
    const file = fillLedger(folder, count);
    const history = History.open(file);
    const before = performance.now();
    for (let round = 0; round < 20; round++) {
      const found = [...history.query({ device: devpath(round), limit: 50, order: 'newest-first' })];
      if (found.length > 50) throw new Error('more than was asked for');
    }
    const took = performance.now() - before;
    history.close();
    return (took * 1000) / 20;
  });
}

function inFolder<Answer>(use: (folder: string) => Answer): Answer {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-bench-scaling-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
