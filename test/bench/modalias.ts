import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ModprobeConfig } from '../../core/kmod/config/modprobe-config.ts';
import { lookupModules } from '../../core/kmod/lookup/module-lookup.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import type { DebianTree } from '../support/debian-tree.ts';
import { NODE_FLAGS } from '../../contrib/dev/node-flags.ts';
import { bareNodeMs, besideBareNode } from './bare-node.ts';
import type { Figure } from './figure.ts';
import { kernelTexts } from './modalias-texts.ts';

/** Of so many the median counts. */
const FIRST_LOOKUPS = 5;
/** What the first look-up may take once usherd has started, in ms. */
const FIRST_MAX_MS = 10;
const NO_CONFIG = new ModprobeConfig([]);

interface Timed {
  readonly meanNs: number;
  readonly p99Ns: number;
}

/** Of these the middle one counts, of the mean and of the p99; with fewer the short form was at half the target where the whole was at three quarters. */
const ROUNDS = 7;

/** Look-ups of modaliases in process beside libkmod's, on texts made from the tree's own patterns, and the same names of both. */
export function benchModalias(tree: DebianTree, isShort: boolean): readonly Figure[] {
  const work = mkdtempSync(path.join(os.tmpdir(), 'usherd-modalias-'));
  const libkmod = path.join(work, 'time-libkmod');
  execFileSync('cc', ['-O2', '-o', libkmod, path.join(import.meta.dirname, 'time-libkmod.c'), '-lkmod']);
  const ours = ModuleTree.open(tree.dir, { caches: { dir: work } });
  ours.aliasIndex().prepare();
  const lookups = path.join(import.meta.dirname, 'time-lookups.ts');
  const count = isShort ? 20_000 : 50_000;
  const sets = corpora(ours, count);
  const figures = Object.entries(sets).flatMap(([name, { texts, target }]) => {
    const file = path.join(work, `${name}.txt`);
    writeFileSync(file, `${texts.join('\n')}\n`);
    const peer = JSON.parse(execFileSync(libkmod, [tree.dir, file, String(ROUNDS)], { encoding: 'utf8' })) as Timed;
    const words = [NODE_FLAGS, lookups, tree.dir, work, file, String(ROUNDS)];
    const mine = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as Timed;
    return [
      {
        bench: 'modalias',
        what: `${name}, libkmod / ours`,
        ours: mine.meanNs,
        peer: peer.meanNs,
        unit: 'ns',
        ratio: peer.meanNs / mine.meanNs,
        target,
        isMoreBetter: true,
      },
      {
        bench: 'modalias',
        what: `${name}, p99`,
        ours: mine.p99Ns,
        peer: peer.p99Ns,
        unit: 'ns',
        target: '<= 3000',
        isMoreBetter: false,
      },
    ];
  });
  const cold = firstLookupMs(tree, work);
  return [
    ...figures,
    {
      bench: 'modalias',
      what: 'names unlike libkmod',
      ours: differingNames(ours, sets, libkmod, tree, work),
      unit: 'texts',
      target: '0',
      isMoreBetter: false,
    },
    besideBareNode('modalias', 'first look-up, cached', cold, bareNodeMs(5), FIRST_MAX_MS),
  ];
}

function corpora(
  tree: ModuleTree,
  count: number,
): Readonly<Record<string, { texts: readonly string[]; target: string }>> {
  const patterns = tree.aliasIndex().prepare().patterns();
  const filled = kernelTexts(patterns, count * 2);
  const isHit = (text: string): boolean => lookupModules(text, tree, NO_CONFIG).length > 0;
  const hits = filled.filter(isHit).slice(0, count);
  const misses = filled
    .map(text => `${text.slice(0, 12)}zz${text.slice(12)}`)
    .filter(text => !isHit(text))
    .slice(0, count);
  const ofBus = (bus: string): readonly string[] =>
    kernelTexts(
      patterns.filter(pattern => pattern.startsWith(bus)),
      count,
    ).filter(isHit);
  return {
    mix: { texts: hits.flatMap((hit, n) => [hit, misses[n] ?? hit]).slice(0, count), target: '>= 10' },
    // Told only: the mix is of these two.
    hits: { texts: hits, target: '' },
    misses: { texts: misses, target: '' },
    'pci hits': { texts: ofBus('pci:'), target: '>= 4' },
    'usb hits': { texts: ofBus('usb:'), target: '>= 8' },
  };
}

/** Texts for which the two answer different names. */
function differingNames(
  tree: ModuleTree,
  sets: Readonly<Record<string, { texts: readonly string[] }>>,
  libkmod: string,
  { dir }: DebianTree,
  work: string,
): number {
  return Object.entries(sets).reduce((sum, [name, { texts }]) => {
    const out = execFileSync(libkmod, [dir, path.join(work, `${name}.txt`), '0'], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    const theirs = out.split('\n');
    const differing = texts.filter((text, n) => {
      const names = [...new Set(lookupModules(text, tree, NO_CONFIG).map(({ module }) => String(module)))].toSorted();
      return theirs[n] !== `${text}\t${names.join(',')}`;
    });
    return sum + differing.length;
  }, 0);
}

/** From opening the tree to the first answer, with the matcher in its cache file. */
function firstLookupMs({ dir }: DebianTree, cacheDir: string): number {
  const times = Array.from({ length: FIRST_LOOKUPS }, () => {
    const startedAt = performance.now();
    const tree = ModuleTree.open(dir, { caches: { dir: cacheDir } });
    tree.aliasIndex().prepare();
    lookupModules('pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00', tree, NO_CONFIG);
    return performance.now() - startedAt;
  });
  return times.toSorted((a, b) => a - b)[FIRST_LOOKUPS >> 1] ?? Number.NaN;
}
