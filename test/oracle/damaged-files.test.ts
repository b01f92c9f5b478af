import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../core/errors.ts';
import { UNPACKERS } from '../../core/kernel/unpackers.ts';
import { FactsReader } from '../../core/kmod/depmod/module-facts.ts';
import { SymbolNames } from '../../core/kmod/depmod/symbol-names.ts';
import { IndexReader } from '../../core/kmod/index/index-reader.ts';
import { forgetVersions } from '../../core/kmod/ko/forget-versions.ts';
import { ModuleFile } from '../../core/kmod/ko/module-file.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { debianTree } from '../support/debian-tree.ts';
import { packedTree } from '../support/kernel-tree.ts';
import { makeWorld } from '../support/module-world.ts';
import { damage, damaged } from '../support/mutate.ts';

/** Times each kind of file is damaged in a run of the tests; USHERD_FUZZ_RUNS says how often when one has the time. */
const RUNS = Number(process.env['USHERD_FUZZ_RUNS'] ?? 300);
/** Real files of each tree, the smallest and some between: what is wrong with a large one is wrong with a small one. */
const FILES = 12;
/** Larger files only take longer. */
const FILE_MAX_BYTES = 64 * 1024;

/** What it answers, if it does; a refusal of ours is no answer, and anything else thrown is a bug. */
function answered<Answer>(ask: () => Answer): readonly [] | readonly [answer: Answer] {
  try {
    return [ask()];
  } catch (error) {
    if (!(error instanceof UsherdError)) throw error;
    return [];
  }
}

function sample(dir: string, pattern: string): readonly string[] {
  const files = globSync(`${dir}/**/${pattern}`).filter(file => statSync(file).size <= FILE_MAX_BYTES);
  const bySize = files.toSorted((a, b) => statSync(a).size - statSync(b).size || (a < b ? -1 : 1));
  const step = Math.max(1, Math.floor(bySize.length / FILES));
  return bySize.filter((_, i) => i % step === 0).slice(0, FILES);
}

/** Everything that is ever asked of a module file, one by one: one refusal does not spare the others. */
function askModule(bytes: Buffer): void {
  const [module] = answered(() => ModuleFile.fromBytes(bytes, 'damaged.ko', UNPACKERS));
  if (module === undefined) return;
  answered(() => module.modinfo());
  answered(() => module.exportedSymbols());
  answered(() => module.neededSymbols());
  answered(() => module.modversions());
  answered(() => module.signature());
  answered(() => forgetVersions(module, { modversion: true, vermagic: true }));
}

for (const [what, obtain, pattern] of [
  ['plain modules', debianTree, '*.ko'],
  ['packed modules', packedTree, '*.ko.xz'],
] as const) {
  test(`real ${what} that are damaged are read or refused`, async t => {
    const tree = await obtain(t);
    if (!tree) return;
    const wholes = sample(tree.dir, pattern).map(file => readFileSync(file));
    t.is(wholes.length, FILES);
    const { root } = makeWorld(t, {});
    const file = path.join(root, 'damaged.ko');
    const reader = new FactsReader(new SymbolNames(), UNPACKERS);
    fc.assert(
      fc.property(fc.constantFrom(...wholes), damage, (whole, how) => {
        const bytes = damaged(whole, how);
        askModule(bytes);
        writeFileSync(file, bytes);
        answered(() => reader.read(file));
      }),
      { numRuns: RUNS },
    );
  });
}

test('a real index that is damaged answers or is refused, and ends', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const wholes = ['modules.builtin.alias.bin', 'modules.builtin.bin', 'modules.symbols.bin'].map(name =>
    readFileSync(path.join(tree.dir, name)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...wholes), damage, (whole, how) => {
      const bytes = damaged(whole, how);
      const [index] = answered(() => new IndexReader(bytes, 'damaged.bin'));
      if (index === undefined) return;
      answered(() => index.search('symbol:usb_register_driver'));
      answered(() => index.searchWild('cpu:type:x86,ven0000fam0006mod003A:feature:,0003,'));
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

/** Texts of a tree that people and packages edit. */
const TEXTS = ['modules.dep', 'modules.builtin', 'modules.builtin.modinfo', 'modules.softdep', 'modules.devname'];

test('a tree whose texts are damaged answers, and says what it could not read', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const wholes = new Map(
    TEXTS.map(name => [name, readFileSync(path.join(tree.dir, name)).subarray(0, FILE_MAX_BYTES)]),
  );
  const world = makeWorld(t, {});
  fc.assert(
    fc.property(fc.constantFrom(...TEXTS), damage, (name, how) => {
      for (const [each, whole] of wholes)
        writeFileSync(path.join(world.tree, each), each === name ? damaged(whole, how) : whole);
      const opened = ModuleTree.open(world.tree);
      t.true(opened.moduleNames().length >= 0 && opened.builtinNames().length >= 0);
      for (const module of opened.moduleNames().slice(0, 3)) opened.module(module);
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
});
