import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { jailTools } from '../../core/daemon/jail-tools.ts';
import { definePlugin } from '../../core/plugin-api/index.ts';
import { noFacts } from '../../core/plugin-host/fact-reader.ts';
import { PluginHost } from '../../core/plugin-host/plugin-host.ts';
import { STICK_ADDED, stickAsks } from '../support/plugin-world.ts';
import type { Figure } from './figure.ts';

const WARM_UP = 2000;

/** What a plugin costs an event: one nobody asked for, an opinion given inside, an opinion given in a jail. */
export async function benchPlugins(isShort: boolean): Promise<readonly Figure[]> {
  const rounds = isShort ? 5000 : 50_000;
  const inside = definePlugin({
    name: 'inside',
    api: 1,
    hooks: [
      { kind: 'opine', onError: 'deny', filter: { module: ['usb_*'] }, call: () => undefined },
      { kind: 'observe', filter: { subsystem: ['pci'] }, call: () => undefined },
      { kind: 'opine', onError: 'deny', filter: { subsystem: ['pci'] }, call: () => undefined },
    ],
  });
  const opine = `{ kind: 'opine', onError: 'deny', filter: { module: ['usb_*'] }, call: () => undefined }`;
  const source = `import { definePlugin } from 'usherd/plugin';\nexport default definePlugin({ name: 'jailed', api: 1, hooks: [${opine}] });\n`;
  return [
    ...(await withHost({ inside: async () => ({ default: inside }) }, { 'inside.toml': '' }, async host => {
      const others = { ...STICK_ADDED, subsystem: 'net', env: {} };
      const question = stickAsks('usb_storage');
      return [
        figure('an event nobody filters for', await timeEach(rounds, () => host.observe(others)), '<= 1'),
        figure('an opinion inside', await timeEach(rounds, () => host.opinions.opinionsOn(question)), '<= 5'),
      ];
    })),
    ...(await withHost({}, { 'jailed.ts': source }, async host => {
      const question = stickAsks('usb_storage');
      const times = await timeEach(rounds / 10, () => host.opinions.opinionsOn(question));
      return [figure('an opinion in a jail', times, '<= 200')];
    })),
  ];
}

function figure(what: string, timesUs: readonly number[], target: string): Figure {
  const p50 = timesUs[timesUs.length >> 1] ?? Number.NaN;
  return { bench: 'plugins', what: `${what}, p50`, ours: p50, unit: 'µs', target, isMoreBetter: false };
}

/** Times of single calls in microseconds, sorted. */
export async function timeEach(rounds: number, call: () => unknown): Promise<readonly number[]> {
  const times: number[] = [];
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const before = performance.now();
    const answer = call();
    if (answer instanceof Promise) await answer;
    if (round >= 0) times.push((performance.now() - before) * 1000);
  }
  return times.toSorted((a, b) => a - b);
}

export async function withHost<Answer>(
  bundled: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>,
  files: Readonly<Record<string, string>>,
  use: (host: PluginHost) => Promise<Answer>,
): Promise<Answer> {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-bench-plugins-')));
  chmodSync(folder, 0o755);
  mkdirSync(path.join(folder, 'plugins'), { mode: 0o755 });
  for (const [name, text] of Object.entries(files))
    writeFileSync(path.join(folder, 'plugins', name), text, { mode: 0o644 });
  const host = new PluginHost({
    configDirs: [folder],
    stateDir: folder,
    uid: process.getuid?.() ?? 0,
    bundled,
    facts: noFacts(() => undefined),
    actions: {
      overrideDriver: async () => undefined,
      unload: async () => ({ unloaded: [] }),
      findDrivers: async () => [],
    },
    devices: async () => [],
    jail: jailTools(),
    notice: (level, message) => {
      if (level !== 'info') throw new Error(message);
    },
    incident: () => undefined,
    isDriven: () => false,
    limitReached: limit => {
      throw new Error(limit);
    },
  });
  try {
    await host.load();
    return await use(host);
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true });
  }
}
