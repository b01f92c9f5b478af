import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { mergeDepmodConfig } from '../../../core/kmod/depmod/depmod-conf.ts';
import { FactsCache } from '../../../core/kmod/depmod/facts-cache.ts';
import { madeOutputs } from '../../../core/kmod/depmod/made-outputs.ts';
import { planDepmod, planTree, readTreeAside } from '../../../core/kmod/depmod/plan-depmod.ts';
import { updateOutputs } from '../../../core/kmod/depmod/update-outputs.ts';
import { writeDepmodOutputs } from '../../../core/kmod/depmod/write-outputs.ts';
import { asideDecompressors, decompressors } from '../../../core/kmod/ko/compression.ts';
import { writeKo, type KoSpec } from '../../support/ko-writer.ts';

const UNPACKERS = decompressors();
const ASIDE = {
  unpackers: asideDecompressors(() => Promise.reject(new Error('no xz here'))),
  lanes: 1,
};
const CONFIG = mergeDepmodConfig([], '6.1.0');
const WORLD = 'the same all the time';

/** A tree that is brought up to date again and again, each time by what would be a process of its own. */
class Tree {
  readonly dir: string;
  readonly #cache: string;
  #dates = 0;

  constructor(dir: string) {
    this.dir = path.join(dir, 'tree');
    this.#cache = path.join(dir, 'cache/facts.cache');
    mkdirSync(path.join(this.dir, 'kernel'), { recursive: true });
    mkdirSync(path.join(this.dir, 'updates'));
    for (const name of ['modules.builtin', 'modules.builtin.modinfo']) writeFileSync(path.join(this.dir, name), '');
    // Some modules have a place of their own in the order, the others come behind them.
    writeFileSync(path.join(this.dir, 'modules.order'), 'kernel/m3.ko\nkernel/m1.ko\nkernel/m4.ko\n');
  }

  write(name: string, spec: KoSpec): void {
    writeFileSync(path.join(this.dir, name), writeKo(spec));
    this.touch(name);
  }

  /** Dates never come twice, so that no change hides within a tick of the clock. */
  touch(name: string): void {
    const file = path.join(this.dir, name);
    if (existsSync(file)) utimesSync(file, ++this.#dates, this.#dates);
  }

  remove(name: string): void {
    rmSync(path.join(this.dir, name), { force: true });
  }

  /** Whether the files were brought up to date; else they were made anew. */
  async index(): Promise<boolean> {
    const request = { dir: this.dir, config: CONFIG, unpackers: UNPACKERS };
    const cache = new FactsCache(this.#cache, UNPACKERS);
    const tree = await readTreeAside(request, ASIDE, cache);
    if (updateOutputs(cache, tree, WORLD, this.dir)) return true;
    const { cycles, outputs, problems } = planTree(request, tree);
    if (cycles.length > 0) return false;
    writeDepmodOutputs(this.dir, outputs);
    const made = JSON.stringify(madeOutputs({ world: WORLD, files: {} }, this.dir, outputs));
    cache.save(tree.modules, problems.length > 0 ? '' : made);
    return false;
  }

  /** Compares all files with those of a run that knows nothing; while modules need each other in a circle there are none. */
  isSameAsWhole(t: ExecutionContext): void {
    const { cycles, outputs } = planDepmod({ dir: this.dir, config: CONFIG, unpackers: UNPACKERS });
    if (cycles.length > 0) return;
    for (const { name, bytes } of outputs)
      t.is(readFileSync(path.join(this.dir, name), 'latin1'), bytes.toString('latin1'), name);
  }
}

async function inTree<Answer>(use: (tree: Tree) => Promise<Answer>): Promise<Answer> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-update-'));
  try {
    return await use(new Tree(dir));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The last three are a problem each: a tree that has one is made anew every time. */
const ALIASES = [
  ['pci:v1*'],
  ['pci:v1d2*'],
  ['pci:v1d-'],
  ['pci:v2*', 'pci:v2*'],
  ['usb:[0-9]*'],
  [''],
  ['devname:net/tun', 'char-major-10-200'],
  ['devname:fuse'],
  ['['],
  ['é'],
];
const SOUND_ALIASES = ALIASES.length - 3;
const file = fc
  .record({ folder: fc.constantFrom('kernel', 'updates'), name: fc.constantFrom('m0', 'm1', 'm2', 'm3', 'm-4', 'm5') })
  .map(({ folder, name }) => `${folder}/${name}.ko`);
const symbols = fc.uniqueArray(fc.constantFrom('f0', 'f1', 'f2', 'f3', 'f4', 'f5'), { maxLength: 2 });
const spec = fc
  .record({
    exports: symbols,
    needs: symbols,
    // Who needs only what comes after all it exports is in no circle.
    mayCircle: fc.integer({ min: 0, max: 20 }).map(i => i === 0),
    aliases: fc.array(
      fc.integer({ min: 0, max: 150 }).map(i => ALIASES[i] ?? ALIASES[i % SOUND_ALIASES] ?? []),
      { maxLength: 5 },
    ),
    softdep: fc.option(fc.constantFrom('pre: m1', 'post: m2'), { nil: undefined, freq: 2 }),
    weakdep: fc.option(fc.constantFrom('m1'), { nil: undefined, freq: 2 }),
  })
  .map(({ exports, needs, mayCircle, aliases, softdep, weakdep }): KoSpec => ({
    exports: exports.map(name => [name, 1]),
    needs: needs.filter(name => exports.every(own => own < name || (mayCircle && own !== name))),
    modinfo: [
      ...aliases.flat().map(alias => ['alias', alias] as const),
      ...(softdep === undefined ? [] : [['softdep', softdep] as const]),
      ...(weakdep === undefined ? [] : [['weakdep', weakdep] as const]),
    ],
  }));
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('write' as const), file, spec }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), file }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touch' as const), file }) },
);

test('modules that are replaced, added, removed and moved leave the bytes of a whole run, whatever came before', async t => {
  let updates = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 6 }), runs =>
      inTree(async tree => {
        for (const steps of runs) {
          for (const each of steps) {
            if (each.do === 'write') tree.write(each.file, each.spec);
            else tree[each.do](each.file);
          }
          if (await tree.index()) updates++;
          tree.isSameAsWhole(t);
        }
      }),
    ),
    { numRuns: 80 },
  );
  t.log(`${updates} runs were brought up to date`);
  t.true(updates > 100);
});

test('what a module that changed says nothing of is not written again, but modules.dep is given the date', async t => {
  await inTree(async tree => {
    tree.write('kernel/m1.ko', { exports: [['a_fn', 1]], modinfo: [['alias', 'pci:v1*']] });
    tree.write('kernel/m2.ko', { needs: ['a_fn'], modinfo: [['alias', 'pci:v2*']] });
    t.false(await tree.index());
    const names = ['modules.dep', 'modules.dep.bin', 'modules.alias', 'modules.alias.bin', 'modules.symbols.bin'];
    const states = (): readonly (readonly [string, number, number])[] =>
      names.map(name => {
        const { ino, mtimeMs } = statSync(path.join(tree.dir, name));
        return [name, ino, mtimeMs];
      });
    for (const name of names) utimesSync(path.join(tree.dir, name), 1, 1);
    t.false(await tree.index(), 'somebody else has had the files');
    const first = states();
    tree.write('kernel/m2.ko', { needs: ['a_fn'], modinfo: [['alias', 'pci:v3*']] });
    t.true(await tree.index());
    const second = states();
    const written = second.flatMap(([name, ino], i) => (ino === first[i]?.[1] ? [] : [name]));
    t.deepEqual(written, ['modules.alias', 'modules.alias.bin']);
    t.true((second[0]?.[2] ?? 0) >= (first[0]?.[2] ?? 0));
    tree.isSameAsWhole(t);
  });
});
