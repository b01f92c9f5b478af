import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { writeKo } from '../../support/ko-writer.ts';
import { makeWorld, WORLD_RELEASE } from '../../support/module-world.ts';
import { usher } from '../../support/usher.ts';

interface Tree {
  readonly root: string;
  readonly tree: string;
  /** Runs `usher depmod --incremental` → the index files that were written by it. */
  readonly index: () => Promise<readonly string[]>;
  /** All index files, by what is in them. */
  readonly contents: () => Record<string, string>;
}

function makeTree(t: ExecutionContext): Tree {
  const { root, tree } = makeWorld(t, {
    modules: {
      'kernel/a.ko': { exports: [['a_fn', 1]], modinfo: [['alias', 'pci:v1*']] },
      'kernel/b.ko': { needs: ['a_fn'] },
    },
    files: Object.fromEntries(
      ['order', 'builtin', 'builtin.modinfo'].map(name => [`lib/modules/${WORLD_RELEASE}/modules.${name}`, '']),
    ),
  });
  const names = (): readonly string[] =>
    readdirSync(tree).filter(name => /^modules\.(?!order|builtin\.modinfo)/.test(name));
  const inodes = (): Map<string, number> => new Map(names().map(name => [name, statSync(path.join(tree, name)).ino]));
  return {
    root,
    tree,
    index: async () => {
      const before = inodes();
      const { status, stderr } = await usher('depmod', '--incremental', '--root', root, WORLD_RELEASE);
      t.deepEqual([status, stderr], [0, '']);
      return [...inodes()].flatMap(([name, ino]) => (before.get(name) === ino ? [] : [name]));
    },
    contents: () => Object.fromEntries(names().map(name => [name, readFileSync(path.join(tree, name), 'latin1')])),
  };
}

test('where only dates have changed nothing is written, and the indexes are those of a whole run', async t => {
  const { root, tree, index, contents } = makeTree(t);
  t.true((await index()).length > 8);
  const first = contents();
  t.deepEqual(await index(), []);
  utimesSync(path.join(tree, 'kernel/b.ko'), 9, 9);
  t.deepEqual(await index(), []);
  t.deepEqual(await index(), []);
  await usher('depmod', '--root', root, WORLD_RELEASE);
  t.deepEqual(contents(), first);
});

function damageCache({ root }: Tree, damage: (bytes: Buffer) => Buffer): void {
  const dir = path.join(root, 'var/lib/usherd/cache');
  const name = readdirSync(dir).find(each => each.includes('-facts-')) ?? '';
  writeFileSync(path.join(dir, name), damage(readFileSync(path.join(dir, name))));
}

/** What makes the indexes others, or missing: after each they are written again. */
const CHANGES: Readonly<Record<string, (tree: Tree) => void>> = {
  'a module that says something else': ({ tree }) =>
    writeFileSync(path.join(tree, 'kernel/a.ko'), writeKo({ exports: [['a_fn', 1]], modinfo: [['alias', 'pci:v2*']] })),
  'a module more': ({ tree }) => writeFileSync(path.join(tree, 'kernel/c.ko'), writeKo({ needs: ['a_fn'] })),
  'a module less': ({ tree }) => rmSync(path.join(tree, 'kernel/b.ko')),
  'an index that is gone': ({ tree }) => rmSync(path.join(tree, 'modules.symbols.bin')),
  'an index that somebody else wrote': ({ tree }) => writeFileSync(path.join(tree, 'modules.dep'), ''),
  'another modules.builtin': ({ tree }) => writeFileSync(path.join(tree, 'modules.builtin'), 'kernel/built/in.ko\n'),
  'a cache that is damaged': tree => damageCache(tree, bytes => bytes.fill(0x41, 40, 44)),
  'a cache that is cut off': tree => damageCache(tree, bytes => bytes.subarray(0, bytes.length - 1)),
  'another depmod.d': ({ root, tree }) => {
    mkdirSync(path.join(root, 'etc/depmod.d'), { recursive: true });
    writeFileSync(path.join(root, 'etc/depmod.d/x.conf'), 'search updates built-in extra\n');
    writeFileSync(path.join(tree, 'modules.weakdep'), 'made before\n');
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`${what} has the indexes written as a whole run would write them`, async t => {
    const made = makeTree(t);
    await made.index();
    change(made);
    t.true((await made.index()).length > 0);
    const ours = made.contents();
    await usher('depmod', '--root', made.root, WORLD_RELEASE);
    t.deepEqual(made.contents(), ours);
    t.deepEqual((await made.index()).length > 8, true, 'a whole run replaces the files');
    t.deepEqual(await made.index(), []);
  });
}
