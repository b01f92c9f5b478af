/**
 * npm run bench [NAME…] [-- --json FILE] [--short]: usherd beside its peers, in the same run on the same input, as ratios.
 * Method, traps and last results: README.md beside this file.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../core/pipeline/8-report/table.ts';
import { PLAIN } from '../../core/pipeline/8-report/terminal.ts';
import { obtainDebianTree, type DebianTree } from '../support/debian-tree.ts';
import { benchBind } from './bind.ts';
import { benchCli } from './cli.ts';
import { benchDepmod } from './depmod.ts';
import { benchIdle } from './idle.ts';
import { benchModalias } from './modalias.ts';
import { benchRules } from './bench-rules.ts';
import type { Figure } from './figure.ts';
import { benchLedger } from './ledger.ts';
import { installPeers } from './peers.ts';
import { benchPlugins } from './plugins.ts';
import { benchScaling } from './scaling.ts';

const top = path.resolve(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({
  options: {
    json: { type: 'string', default: path.join(top, 'dist/bench.json') },
    short: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

/** Runs of storm.ts in turn, ours and udevd's, so that whatever else the machine does meets both; medians of each. */
function benchStorm(
  tree: DebianTree,
  mode: { name: string; count: number; rate: number; only: string },
): readonly Figure[] {
  const modules = mkdtempSync(path.join(os.tmpdir(), 'usherd-bench-modules-'));
  symlinkSync(tree.dir, path.join(modules, os.release()));
  const runs = { usherd: [] as Run[], udevd: [] as Run[] };
  for (let round = 0; round < (values.short ? 1 : 3); round += 1) {
    for (const who of ['usherd', 'udevd'] as const) {
      const words = [
        path.join(import.meta.dirname, 'storm.ts'),
        who,
        String(mode.count),
        'add',
        String(mode.rate),
        mode.only,
      ];
      const script = path.join(import.meta.dirname, '../support/sandbox.sh');
      const out = execFileSync('bash', [script, modules, process.execPath, ...words], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      runs[who].push(JSON.parse(out) as Run);
    }
  }
  const compare = (what: keyof Run, unit: string, target: string, isMoreBetter = false): Figure => {
    const [ours, peer] = [median(runs.usherd.map(run => run[what])), median(runs.udevd.map(run => run[what]))];
    return { bench: mode.name, what, ours, peer, unit, ratio: ours / peer, target, isMoreBetter };
  };
  if (mode.rate > 0) return [compare('p50Us', 'µs', '<= 0.7'), compare('p99Us', 'µs', '<= 1.0')];
  const lost = median(runs.usherd.map(run => run.lost));
  return [
    compare('eventsPerS', 'events/s', '>= 3', true),
    compare('cpuUsPerEvent', 'µs', '<= 0.35'),
    compare('peakRssKb', 'kB', '<= 1.0'),
    { bench: mode.name, what: 'lost', ours: lost, unit: 'events', target: '0', isMoreBetter: false },
  ];
}

interface Run {
  readonly lost: number;
  readonly eventsPerS: number;
  readonly cpuUsPerEvent: number;
  readonly peakRssKb: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

const BENCHES: Readonly<Record<string, (tree: DebianTree) => Promise<readonly Figure[]> | readonly Figure[]>> = {
  modalias: tree => benchModalias(tree, values.short),
  depmod: tree => benchDepmod(tree, values.short),
  cli: tree => benchCli(tree, values.short),
  storm: tree => [
    ...benchStorm(tree, { name: 'storm 50k', count: 50_000, rate: 0, only: 'all' }),
    ...(values.short ? [] : benchStorm(tree, { name: 'storm 200k', count: 200_000, rate: 0, only: 'all' })),
  ],
  sparse: tree => [
    ...benchStorm(tree, { name: 'sparse', count: values.short ? 400 : 1000, rate: 100, only: 'all' }),
    ...benchStorm(tree, { name: 'sparse modalias', count: values.short ? 250 : 500, rate: 50, only: 'modalias' }),
  ],
  idle: tree => benchIdle(tree),
  rules: () => benchRules(values.short),
  ledger: () => benchLedger(values.short),
  plugins: () => benchPlugins(values.short),
  scaling: () => benchScaling(values.short),
  bind: () => benchBind(),
};

/** Machines are noisy: what fails the short form has failed so often. */
const SHORT_TRIES = 3;

const TIME_UNITS: readonly string[] = ['s', 'ms', 'µs', 'ns'];

/**
 * Whether a figure is worse than half its target: only that fails the short form, since machines are noisy. A time that is not set beside
 * another says as much of the machine, and is only told.
 */
function isFarOff({ ours, ratio, unit, target, isMoreBetter }: Figure): boolean {
  if (ratio === undefined && TIME_UNITS.includes(unit)) return false;
  const wanted = Number(/[\d.]+/.exec(target)?.[0]);
  const found = ratio ?? ours;
  return isMoreBetter ? found < wanted / 2 : found > wanted * 2;
}

function nameOf({ bench, what, ours, ratio = ours }: Figure): string {
  return `${bench}, ${what} (${ratio.toPrecision(4)})`;
}

async function main(): Promise<void> {
  delete process.env['NODE_EXTRA_CA_CERTS']; // Where it is set it adds 30 ms to every start of Node 20.
  installPeers();
  const tree = await obtainDebianTree();
  if (typeof tree === 'string') throw new Error(tree);
  // Three boots of an emulated machine are too long for the short form, unless they are asked for.
  const usual = Object.keys(BENCHES).filter(name => !values.short || name !== 'bind');
  const names = positionals.length > 0 ? positionals : usual;
  const figures: Figure[] = [];
  for (const name of names) {
    const bench = BENCHES[name];
    if (bench === undefined) throw new Error(`there is no bench ${name}; there are ${Object.keys(BENCHES).join(', ')}`);
    process.stderr.write(`bench: ${name}\n`);
    let made = await bench(tree);
    for (let tries = 1; values.short && tries < SHORT_TRIES && made.some(isFarOff); tries += 1) {
      process.stderr.write(`bench: ${name} once more: ${made.filter(isFarOff).map(nameOf).join('; ')}\n`);
      made = await bench(tree);
    }
    figures.push(...made);
  }
  const show = (value: number | undefined): string => (value === undefined ? '' : String(Number(value.toPrecision(4))));
  const rows = figures.map(({ bench, what, ours, peer, unit, ratio, target }) => [
    bench,
    what,
    show(ours),
    show(peer),
    unit,
    show(ratio),
    target,
  ]);
  const columns = ['BENCH', 'WHAT', 'OURS', 'PEER', 'UNIT', 'RATIO', 'TARGET'].map(title => ({ title }));
  console.log(formatTable(columns, rows, PLAIN).join('\n'));
  mkdirSync(path.dirname(values.json), { recursive: true });
  writeFileSync(
    values.json,
    `${JSON.stringify({ at: new Date().toISOString(), kernel: os.release(), node: process.version, figures }, undefined, 2)}\n`,
  );
  const farOff = figures.filter(isFarOff);
  for (const figure of farOff) console.error(`bench: ${nameOf(figure)}: worse than half its target`);
  if (values.short && farOff.length > 0) process.exitCode = 1;
}

await main();
