import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { TREE_UNPACKING, UNPACKERS } from '../../core/kernel/unpackers.ts';
import { FactsCache } from '../../core/kmod/depmod/facts-cache.ts';
import { mergeDepmodConfig } from '../../core/kmod/depmod/depmod-conf.ts';
import { planDepmodAside } from '../../core/kmod/depmod/plan-depmod.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { packedTree } from '../support/kernel-tree.ts';
import { samplePatternTexts } from '../support/pattern-texts.ts';
import { sameAsKmod } from '../support/run-tool.ts';

/** Texts asked in one process: hits made of the tree's patterns, and misses. */
const TEXTS = 3000;
/** Every so many modules modinfo reads one: each has to be unpacked by both tools. */
const MODINFO_EVERY = 10;

test('a whole kernel of .ko.xz is indexed byte for byte as by Debian’s depmod, also from what is kept of an earlier run', async t => {
  const tree = await packedTree(t);
  if (!tree) return;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-packed-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const request = { dir: tree.dir, config: mergeDepmodConfig([], tree.release), unpackers: UNPACKERS };
  const index = async (): Promise<number> => {
    const cache = new FactsCache(path.join(folder, 'facts.cache'), UNPACKERS);
    const { modules, outputs, problems } = await planDepmodAside(request, TREE_UNPACKING, cache);
    t.true(cache.save(modules, ''));
    t.true(modules.length > 3000 && modules.every(({ file }) => file.endsWith('.ko.xz')));
    t.deepEqual(problems, []);
    // modules.weakdep came with kmod 33.
    for (const { name, bytes } of outputs.filter(output => output.name !== 'modules.weakdep')) {
      t.true(bytes.equals(readFileSync(path.join(tree.dir, name))), name);
    }
    return cache.filesRead;
  };
  t.true((await index()) > 3000);
  t.is(await index(), 0);
});

test('modprobe -R, -D and modinfo answer from a tree of packed modules as Debian’s do', async t => {
  const tree = await packedTree(t);
  if (!tree) return;
  const modules = ModuleTree.open(tree.dir);
  const texts = samplePatternTexts(modules.aliasIndex().prepare().patterns(), TEXTS);
  const names = modules.moduleNames();
  const common = ['-C', '/dev/null', '-d', tree.root, '-S', tree.release];
  await sameAsKmod(t, 'modprobe', [...common, '-qaR', '--', ...texts]);
  await sameAsKmod(t, 'modprobe', [...common, '-aD', ...names]);
  const some = names.filter((_, i) => i % MODINFO_EVERY === 0);
  await sameAsKmod(t, 'modinfo', ['-b', tree.root, '-k', tree.release, ...some]);
});
