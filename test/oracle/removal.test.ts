import test, { type ExecutionContext } from 'ava';
import { makeFakeKernel, namespacesAreHere, runKmodOn, type FakeModule } from '../support/fake-kernel.ts';
import { kmodIsHere, makeWorld, runKmod, WORLD_RELEASE, type WorldSpec } from '../support/module-world.ts';
import { runOurs } from '../support/run-tool.ts';

/** `top` uses `left`, which uses `core`; `user` has `core` open. */
const LOADED: readonly FakeModule[] = [
  { name: 'top', refcnt: 0 },
  { name: 'left', refcnt: 1, holders: ['top'] },
  { name: 'core', refcnt: 2, holders: ['left'] },
  { name: 'held', refcnt: 2, holders: ['zeta', 'alpha', 'mid'], sizeBytes: 123_456_789 },
  { name: 'zeta', refcnt: 0 },
  { name: 'alpha', refcnt: 0 },
  { name: 'mid', refcnt: 0 },
  { name: 'open', refcnt: 3 },
  { name: 'free', refcnt: 0 },
  { name: 'unused', refcnt: 0 },
  { name: 'pre_soft', refcnt: 0 },
  { name: 'post_soft', refcnt: 0 },
  { name: 'commanded', refcnt: 5 },
  { name: 'failing', refcnt: 0 },
  { name: 'coming_up', refcnt: 0, state: 'coming' },
  { name: 'unready', refcnt: 0, state: 'absent' },
  { name: 'a_very_long_module_name_indeed', refcnt: 0 },
];

const WORLD: WorldSpec = {
  modules: {
    'kernel/top.ko': { needs: ['left_fn'] },
    'kernel/left.ko': { exports: [['left_fn', 1]], needs: ['core_fn'] },
    'kernel/core.ko': { exports: [['core_fn', 1]] },
    'kernel/held.ko': {},
    'kernel/zeta.ko': {},
    'kernel/alpha.ko': {},
    'kernel/mid.ko': {},
    'kernel/open.ko': { modinfo: [['alias', 'pair']] },
    'kernel/free.ko': { modinfo: [['alias', 'pair']], needs: ['unused_fn'] },
    'kernel/unused.ko': { exports: [['unused_fn', 1]] },
    'kernel/pre-soft.ko': {},
    'kernel/post-soft.ko': {},
    'kernel/soft.ko': {},
    'kernel/commanded.ko': {},
    'kernel/failing.ko': {},
    'kernel/away.ko': {},
    'kernel/coming-up.ko': {},
    'kernel/unready.ko': {},
  },
  files: {
    [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: 'kernel/in-built.ko\n',
    'etc/modprobe.d/a.conf': [
      'softdep free pre: pre-soft in-built post: post-soft nowhere',
      'softdep unready pre: open',
      'softdep away post: free',
      'remove commanded /bin/true $CMDLINE_OPTS',
      'remove failing /bin/false',
      'alias both-fail failing',
      'alias both-fail unused',
      'softdep commanded pre: pre-soft',
      'alias many free',
      'alias many unused',
      '',
    ].join('\n'),
  },
};

const NAMES = [
  'top',
  'left',
  'core',
  'held',
  'open',
  'free',
  'unused',
  'pair',
  'many',
  'commanded',
  'failing',
  'both-fail',
  'away',
  'coming-up',
  'unready',
  'in-built',
  'nothing',
];

interface Place {
  readonly root: string;
  readonly words: readonly string[];
}

function place(t: ExecutionContext): Place | undefined {
  if (!kmodIsHere(t) || !namespacesAreHere(t)) return undefined;
  const { root, modprobeDir } = makeWorld(t, WORLD);
  runKmod('depmod', ['-b', root, WORLD_RELEASE]);
  makeFakeKernel(root, LOADED);
  return { root, words: ['-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE] };
}

async function sameOnFake(
  t: ExecutionContext,
  root: string,
  tool: 'modprobe' | 'rmmod' | 'lsmod' | 'kmod',
  words: readonly string[],
): Promise<void> {
  const theirs = runKmodOn(root, tool, words);
  const ours = await runOurs(tool, ['--sys-root', `${root}/sys`, '--proc-root', `${root}/proc`, ...words]);
  const asked = [tool, ...words].join(' ');
  t.deepEqual(
    { asked, status: ours.status, stdout: ours.stdout },
    { asked, status: theirs.status, stdout: theirs.stdout },
  );
  // Ours says more; what kmod says has to be among it. Places in its own source are nobody's business.
  for (const line of theirs.stderr.split('\n')) {
    // Why the kernel does not remove a made-up module depends on what each of the two may do.
    const message = line
      .replace(/\.\.\/libkmod\S+ \S+ /, '')
      .replace(/in use by:.*/, 'in use by:')
      .replace(/(could not remove [^:]*:).*/, '$1');
    t.true(ours.stderr.includes(message.trim()), `${asked}: "${message}" is not in "${ours.stderr}"`);
  }
}

for (const flags of [
  ['-rnv'],
  ['-rn'],
  ['-rnvi'],
  ['-rnva'],
  ['-rnvq'],
  ['-nv', '--remove-holders'],
  ['-rnv', '--remove-dependencies'],
  ['-rnv', '--first-time'],
  ['-rnv', '-w', '5'],
  ['-rD'],
  ['-rDi'],
  ['-rnv', '--remove-holders'],
  ['-nv'],
  ['-nv', '--first-time'],
  ['-n', '--first-time'],
  ['-D'],
  ['-r'],
  ['-rv'],
  ['-rva'],
  ['-rvq'],
  ['-rvi'],
  ['-rvf'],
  ['-r', '--first-time'],
  ['-rv', '--remove-holders'],
  ['-rvi', '--remove-holders'],
  ['-rv', '-w', '3'],
]) {
  test(`modprobe ${flags.join(' ')} on loaded modules says what Debian's says`, async t => {
    const here = place(t);
    if (here === undefined) return;
    for (const name of NAMES) await sameOnFake(t, here.root, 'modprobe', [...here.words, ...flags, name]);
    await sameOnFake(t, here.root, 'modprobe', [...here.words, ...flags, 'free', 'held', 'top']);
  });
}

test('lsmod and kmod list print what Debian’s print, several holders in the order of their folder', async t => {
  const here = place(t);
  if (here === undefined) return;
  const { root } = here;
  await sameOnFake(t, root, 'lsmod', []);
  await sameOnFake(t, root, 'kmod', ['list']);
});

test('kmod list takes no words, and no option it does not know', async t => {
  const here = place(t);
  if (here === undefined) return;
  for (const words of [['x'], ['-z'], ['--bogus']]) {
    t.is((await runOurs('kmod', ['list', ...words])).status, 1);
    t.is(runKmodOn(here.root, 'kmod', ['list', ...words]).status, 1);
  }
});

test('rmmod says of each module what Debian’s says, and goes on after one that stays', async t => {
  const here = place(t);
  if (here === undefined) return;
  const { root } = here;
  for (const name of ['left', 'core', 'held', 'open', 'nothing', 'free', 'coming_up', 'kernel/free.ko']) {
    await sameOnFake(t, root, 'rmmod', [name]);
  }
  await sameOnFake(t, root, 'rmmod', ['held', 'free', 'nothing']);
  await sameOnFake(t, root, 'rmmod', ['-f', 'held']);
  await sameOnFake(t, root, 'rmmod', ['-s']);
});

test('who holds a module is said of one that stays', async t => {
  const { root } = makeWorld(t, {});
  makeFakeKernel(root, LOADED);
  const { stderr } = await runOurs('rmmod', ['open', '--root', root]);
  t.is(
    stderr,
    'rmmod: ERROR: Module open is in use\nrmmod: open is held by 3 other users: open devices, mounts, sockets\n',
  );
});
