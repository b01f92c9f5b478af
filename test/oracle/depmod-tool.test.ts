import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { kmodIsHere, makeWorld, runKmod, WORLD_RELEASE, type ModuleWorld } from '../support/module-world.ts';
import { runOurs } from '../support/run-tool.ts';

const SPEC = {
  modules: {
    'kernel/a.ko': {
      exports: [
        ['a_fn', 1],
        ['twice', 2],
        ['__y', 4],
      ],
      modinfo: [
        ['alias', 'p-q'],
        ['alias', 'p_q'],
        ['alias', 'z'],
      ],
    },
    'kernel/b.ko': {
      exports: [
        ['b_fn', 1],
        ['twice', 2],
      ],
      needs: ['a_fn', '_x', '_a_fn', '__y', { weak: 'maybe' }],
      modinfo: [
        ['alias', 'z'],
        ['alias', 'z'],
        ['alias', 'z'],
      ],
    },
    'kernel/c.ko': {
      needs: ['a_fn', 'b_fn', 'printk', { weak: 'a_fn2' }, { weak: 'twice' }],
      exports: [['_cfn', 3]],
      modinfo: [['softdep', 'pre: a']],
    },
    'kernel/d.ko': { needs: ['.cfn', '_cfn', 'twice', '__this_module', 'two'] },
  },
  files: {
    'System.map': [
      'f T printk',
      'f r __ksymtab_printk',
      'f r ___ksymtab_two',
      'f r __ksymtab__x',
      'f r .__ksymtab_dot',
      '',
    ].join('\n'),
    symvers: '0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n0x3\t_two\tvmlinux\tEXPORT_SYMBOL\t\n',
    'outside/far.ko': 'no module',
    [`lib/modules/${WORLD_RELEASE}/modules.order`]: 'kernel/b.ko\nkernel/a.ko\nkernel/c.ko\n',
    [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: '',
    [`lib/modules/${WORLD_RELEASE}/modules.builtin.modinfo`]: '',
  },
} as const;

/** The files a run left, by name; kmod 30 has no modules.weakdep. */
function written({ tree }: ModuleWorld): Record<string, string> {
  const names = readdirSync(tree).filter(name => name.startsWith('modules.') && name !== 'modules.weakdep');
  return Object.fromEntries(names.map(name => [name, readFileSync(path.join(tree, name), 'latin1')]));
}

/** Our own sentences differ; those of a kind are compared by what they are about. The dot of a symbol `.name` is not among ours. */
function warnings(stderr: string): string[] {
  const about =
    /needs unknown symbol \S+|disagrees about version of symbol \S+|duplicate module alias:\n.*|FATAL: .*|ERROR: (?:could not open|Bad version|Found).*|-e needs.*|Ignored deprecated.*/g;
  return Array.from(stderr.matchAll(about), ([text]) => text.replace(/symbol \./, 'symbol ')).toSorted();
}

/** Both tools, one after the other, on a world as new → everything one can see of a run. */
async function compare(t: ExecutionContext, wordsIn: (world: ModuleWorld) => readonly string[]): Promise<string> {
  const world = makeWorld(t, SPEC);
  const words = ['-b', world.root, '-C', '/dev/null', ...wordsIn(world)];
  const theirs = runKmod('depmod', words);
  const theirFiles = written(world);
  for (const name of Object.keys(theirFiles)) {
    if (!['modules.order', 'modules.builtin', 'modules.builtin.modinfo'].includes(name))
      rmSync(path.join(world.tree, name));
  }
  const ours = await runOurs('depmod', words);
  const asked = words.join(' ');
  t.deepEqual(
    { asked, status: ours.status, stdout: ours.stdout, warnings: warnings(ours.stderr), files: written(world) },
    { asked, status: theirs.status, stdout: theirs.stdout, warnings: warnings(theirs.stderr), files: theirFiles },
  );
  return ours.stdout + ours.stderr;
}

const R = WORLD_RELEASE;
for (const words of [
  [R],
  ['-n', R],
  ['-v', R],
  ['-nv', R],
  ['-w', R],
  ['-nw', R],
  ['-wv', R],
  ['-e', R],
  ['-P', '_', '-nv', R],
  ['-P', '_', R],
  ['-P', '.', '-nv', R],
  ['-P', 'a', '-P', '_', '-n', R],
  ['-P', '__', R],
  ['-P', '', R],
  ['-aA', '-n', R],
  ['-A', R],
  ['-u', R],
  ['-qn', R],
  ['-r', '-n', R],
  ['--unresolved-error', '-n', R],
  ['--quie', '-n', R],
  ['--qui', R],
  ['--dry-run', R],
  ['-F', '/nowhere', R],
  ['-E', '/nowhere', '-e', R],
  ['x.y', 'z'],
  ['6.2.0-absent'],
  ['6'],
  ['6.'],
  ['6.1x'],
  ['-n', '6.1.0-test/'],
]) {
  test(`depmod ${words.join(' ')} prints, writes and answers what Debian’s does`, async t => {
    if (!kmodIsHere(t)) return;
    await compare(t, () => words);
  });
}

for (const prefix of [[], ['-P', '_'], ['-P', 't']]) {
  test(`depmod -e ${prefix.join(' ')} misses the same symbols as Debian’s`, async t => {
    if (!kmodIsHere(t)) return;
    const map = await compare(t, ({ root }) => [...prefix, '-ne', '-F', `${root}/System.map`, R]);
    const symvers = await compare(t, ({ root }) => [...prefix, '-ne', '-E', `${root}/symvers`, R]);
    t.true(map.includes('needs unknown symbol') && symvers.includes('disagrees about version'));
  });
}

for (const [files, flags] of [
  [['kernel/b.ko', 'kernel/a.ko'], ['-n']],
  [['kernel/b.ko', 'kernel/a.ko'], []],
  [['kernel/c.ko', 'kernel/b.ko'], ['-nv']],
  [['kernel/c.ko'], ['-a']],
  [['kernel/c.ko'], ['-A']],
  [['kernel/c.ko', '../../../outside/far.ko'], ['-n']],
  [['kernel/c.ko', 'kernel/c.ko'], ['-n']],
  [['kernel/b.ko'], ['-w']],
  [['kernel/gone.ko'], []],
  [['modules.order'], ['-n']],
] as const) {
  test(`depmod ${flags.join(' ')} VERSION ${files.join(' ')} indexes those files alone as Debian’s does`, async t => {
    if (!kmodIsHere(t)) return;
    // The paths of the two worlds are the same, so messages that name them can be compared.
    await compare(t, ({ tree }) => [...flags, R, ...files.map(file => `${tree}/${file}`)]);
  });
}

test('depmod takes absolute files alone, and two of one name not at all', async t => {
  if (!kmodIsHere(t)) return;
  await compare(t, ({ tree }) => [R, `${tree}/kernel/a.ko`, 'kernel/b.ko']);
  const world = makeWorld(t, { modules: { 'kernel/a.ko': {}, 'updates/a.ko': {} } });
  const words = ['-b', world.root, R, `${world.tree}/kernel/a.ko`, `${world.tree}/updates/a.ko`];
  const theirs = runKmod('depmod', words);
  const ours = await runOurs('depmod', words);
  t.deepEqual([ours.status, ours.stdout], [theirs.status, theirs.stdout]);
  t.deepEqual(warnings(ours.stderr), warnings(theirs.stderr));
  t.false(existsSync(path.join(world.tree, 'modules.dep')));
});
