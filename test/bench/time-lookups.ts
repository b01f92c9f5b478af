/**
 * Time of our look-ups of modaliases, as time-libkmod.c is for libkmod's: each set of texts in a process of its own.
 * usage: time-lookups.ts RELEASE_DIR CACHE_DIR TEXTS_FILE ROUNDS → one JSON line. Run by modalias.ts, by a Node with the daemon's flags: the
 * young generation of a bare one is so large that look-ups meet pages nobody has touched, and 17 µs for each are none of the matcher's.
 */
import { readFileSync } from 'node:fs';
import { lookupModules } from '../../core/kmod/lookup/module-lookup.ts';
import { ModprobeConfig } from '../../core/kmod/config/modprobe-config.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';

const NO_CONFIG = new ModprobeConfig([]);
/** Rounds before those that count: compiled by then. */
const WARMING_ROUNDS = 2;

const [dir = '', cacheDir = '', file = '', rounds = '1'] = process.argv.slice(2);
const texts = readFileSync(file, 'utf8').trimEnd().split('\n');
const tree = ModuleTree.open(dir, { caches: { dir: cacheDir } });
tree.aliasIndex().prepare();

/** Mean of all, in ns. */
function all(): number {
  const startedAt = process.hrtime.bigint();
  for (const text of texts) lookupModules(text, tree, NO_CONFIG);
  return Number(process.hrtime.bigint() - startedAt) / texts.length;
}

/** The 99th of a hundred, each timed alone, in ns. */
function each(): number {
  const single = Float64Array.from(texts, text => {
    const at = process.hrtime.bigint();
    lookupModules(text, tree, NO_CONFIG);
    return Number(process.hrtime.bigint() - at);
  });
  return single.toSorted()[Math.floor(single.length * 0.99)] ?? Number.NaN;
}

/** The middle one of the rounds. */
function middle(measure: () => number): number {
  const measured = Array.from({ length: Number(rounds) }, measure).toSorted((a, b) => a - b);
  return measured[measured.length >> 1] ?? Number.NaN;
}

for (let round = 0; round < WARMING_ROUNDS; round += 1) all();
console.log(JSON.stringify({ meanNs: middle(all), p99Ns: middle(each) }));
