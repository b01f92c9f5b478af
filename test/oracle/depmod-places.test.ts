import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { writeKo } from '../support/ko-writer.ts';
import { kmodIsHere, makeWorld, runKmod, WORLD_RELEASE, type ModuleWorld } from '../support/module-world.ts';
import { runOurs } from '../support/run-tool.ts';

const R = WORLD_RELEASE;

/** One name in four places, folders of many names, and modules outside of the tree. */
const SPEC = {
  modules: {
    'kernel/a.ko': { exports: [['a_fn', 1]] },
    'updates/a.ko': { exports: [['a_fn', 2]] },
    'weak-updates/a.ko': { exports: [['a_fn', 3]] },
    'extra/sub/a.ko': {},
    'kernel/b.ko': { needs: ['a_fn'] },
    'kernel/sub/d.ko': { needs: ['ext_fn'], exports: [['d_fn', 1]] },
    'kernel/old/i.ko': { needs: ['d_fn'] },
    'old/h.ko': {},
    'build/e.ko': {},
    'source/f.ko': {},
    'kernel/build/g.ko': {},
    'kernel/.hidden/j.ko': {},
    'kernel/n-m.ko': { modinfo: [['alias', 'bad[x']] },
  },
  files: {
    [`lib/modules/${R}/modules.builtin`]: 'kernel/in-b.ko\n',
    [`lib/modules/${R}/modules.builtin.modinfo`]: 'in_b.alias=bi-*\0in_b.alias=bi[\0',
    [`lib/modules/${R}/modules.order`]: 'kernel/b.ko\nkernel/a.ko\nupdates/a.ko\nkernel/sub/d.ko\n',
    'ext/far.ko': writeKo({ exports: [['ext_fn', 1]] }),
    'ext/deep/b.ko': writeKo({}),
  },
} as const;

/** The files a run left, by name; kmod 30 has no modules.weakdep. */
function written(tree: string): Record<string, string> {
  const names = readdirSync(tree).filter(name => name.startsWith('modules.') && name !== 'modules.weakdep');
  return Object.fromEntries(names.map(name => [name, readFileSync(path.join(tree, name), 'latin1')]));
}

/** Both tools on the same world, one after the other → status, output and every file, which are to be the same. */
async function compare(
  t: ExecutionContext,
  world: ModuleWorld,
  words: readonly string[],
  prepare: () => void = () => undefined,
): Promise<Readonly<Record<string, string>>> {
  prepare();
  const before = Object.keys(written(world.tree));
  const theirs = runKmod('depmod', words);
  const theirFiles = written(world.tree);
  for (const name of Object.keys(theirFiles)) if (!before.includes(name)) rmSync(path.join(world.tree, name));
  prepare();
  const ours = await runOurs('depmod', words);
  t.deepEqual(
    { status: ours.status, stdout: ours.stdout, files: written(world.tree) },
    { status: theirs.status, stdout: theirs.stdout, files: theirFiles },
  );
  return theirFiles;
}

const ALL = 'updates extra weak-updates';
for (const conf of [
  `search built-in ${ALL}`,
  `search weak-updates/ built-in ${ALL}`,
  'search extra/sub updates built-in weak-updates',
  'search extra/sub/ updates built-in weak-updates extra',
  `search built-in ${ALL} external\nexternal * ROOT/ext`,
  `search external built-in ${ALL}\nexternal ^6 ROOT/ext`,
  `search external built-in ${ALL}\nexternal ^7 ROOT/ext`,
  'search external updates built-in extra weak-updates\nexternal * ROOT/nowhere\nexternal * ROOT/ext/deep',
  'override a * extra/sub',
  'override a ^6\\\\.1 weak-updates',
  'override a 6.(1|2) kernel',
  'override a ^7 kernel',
  'override a-b * kernel\noverride b * kernel',
  'exclude updates weak-updates extra',
  'exclude old',
  'exclude kernel/old',
  'exclude sub updates weak-updates old',
  'make_map_files yes\nbogus\nsearch\noverride a\nexclude\nexternal *',
  `search built-in \\\n  ${ALL}`,
  `# a comment\n\n  exclude old\nsearch built-in\nsearch ${ALL}`,
]) {
  test(`depmod.d is obeyed as by Debian’s depmod: ${JSON.stringify(conf)}`, async t => {
    if (!kmodIsHere(t)) return;
    const name = 'etc/depmod.d/a.conf';
    const world = makeWorld(t, { ...SPEC, files: { ...SPEC.files, [name]: '' } });
    const file = path.join(world.root, name);
    rmSync(file);
    const made = makeWorld(t, { files: { 'a.conf': `${conf.replaceAll('ROOT', world.root)}\n` } });
    renameSync(path.join(made.root, 'a.conf'), file);
    const files = await compare(t, world, ['-b', world.root, '-C', path.dirname(file), R]);
    t.true((files['modules.dep']?.length ?? 0) > 0);
  });
}

for (const version of ['6.1', '6', '6.', 'x6.1', '+6.1', ' 6.1', '06.1', '-1.2', `${R}/`, `${R}/../${R}`]) {
  test(`depmod takes "${version}" for a release, or not, as Debian’s does`, async t => {
    if (!kmodIsHere(t)) return;
    const world = makeWorld(t, SPEC);
    await compare(t, world, ['-b', world.root, '-C', '/dev/null', '-n', version]);
  });
}

for (const [what, afterMs, words] of [
  ['newer than', 100_000, ['-A']],
  ['newer than', 100_000, ['-aA']],
  ['older than', -100_000, ['--quick']],
  ['older than', -100_000, ['-A', '-w']],
] as const) {
  test(`depmod ${words.join(' ')} where modules.dep is ${what} the modules does what Debian’s does`, async t => {
    if (!kmodIsHere(t)) return;
    const world = makeWorld(t, SPEC);
    const at = new Date(Date.now() + afterMs);
    const common = ['-b', world.root, '-C', '/dev/null'];
    runKmod('depmod', [...common, R]);
    await compare(t, world, [...common, ...words, R], () => {
      rmSync(path.join(world.tree, 'modules.alias'), { force: true });
      utimesSync(path.join(world.tree, 'modules.dep'), at, at);
    });
  });
}

test('links to files and folders, and one that leads nowhere, are taken as by Debian’s depmod', async t => {
  if (!kmodIsHere(t)) return;
  const world = makeWorld(t, SPEC);
  symlinkSync(path.join(world.root, 'ext/far.ko'), path.join(world.tree, 'kernel/far.ko'));
  symlinkSync(path.join(world.root, 'ext/deep'), path.join(world.tree, 'updates/linked'));
  symlinkSync('/nowhere/z.ko', path.join(world.tree, 'kernel/z.ko'));
  await compare(t, world, ['-b', world.root, '-C', '/dev/null', R]);
});

test('depmod -o writes below another root, -m reads and writes another folder, and the files are the same', async t => {
  const world = makeWorld(t, SPEC);
  const common = ['-b', world.root, '-C', '/dev/null'];
  const before = Object.keys(written(world.tree));
  const out = path.join(world.root, 'out');
  t.is((await runOurs('depmod', [...common, '-o', out, R])).status, 0);
  t.deepEqual(Object.keys(written(world.tree)), before);
  t.is((await runOurs('depmod', [...common, R])).status, 0);
  const whole = written(world.tree);
  const made = ([name]: readonly [string, string]): boolean => !before.includes(name) || name === 'modules.builtin.bin';
  const expected = Object.fromEntries(Object.entries(whole).filter(made));
  t.deepEqual(written(path.join(out, 'lib/modules', R)), expected);
  mkdirSync(path.join(world.root, 'opt'));
  renameSync(path.join(world.root, 'lib/modules'), path.join(world.root, 'opt/mods'));
  for (const dir of ['opt/mods', '/opt/mods']) {
    const place = path.join(world.root, `out-${dir.length}`);
    t.is((await runOurs('depmod', [...common, '-m', dir, '-o', place, R])).status, 0);
    t.deepEqual(written(path.join(place, 'opt/mods', R)), expected);
  }
  t.false(existsSync(path.join(world.root, 'lib/modules')));
});
