import { readFileSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { kmodIsHere, makeWorld, runKmod, WORLD_RELEASE, type ModuleWorld } from '../support/module-world.ts';
import { runOurs, sameAsKmod } from '../support/run-tool.ts';

const GPL = [['license', 'GPL']] as const;

/** Two ways down from `top`, softdeps before and behind, an alias for two modules, a builtin module. */
const MODULES = {
  'kernel/top.ko': {
    modinfo: [
      ...GPL,
      ['alias', 'pci:v1d*'],
      ['alias', 'pci:v*d2'],
      ['alias', 'both'],
      ['softdep', 'pre: early post: late'],
    ],
    needs: ['left_fn', 'right_fn'],
    versions: [['left_fn', 0x1234]],
  },
  'kernel/left-side.ko': { modinfo: [...GPL, ['alias', 'both']], exports: [['left_fn', 1]], needs: ['core_fn'] },
  'kernel/right.ko': { modinfo: [...GPL, ['softdep', 'pre: early']], exports: [['right_fn', 2]], needs: ['core_fn'] },
  'kernel/core.ko': { modinfo: GPL, exports: [['core_fn', 3]] },
  'kernel/early.ko': { modinfo: [...GPL, ['softdep', 'post: top']] },
  'kernel/late.ko': { modinfo: GPL, needs: ['core_fn'] },
  'kernel/lonely.ko': { modinfo: [...GPL, ['softdep', 'pre: nowhere']] },
  'kernel/ring-a.ko': { modinfo: [...GPL, ['alias', 'ring'], ['softdep', 'pre: ring-b']] },
  'kernel/ring-b.ko': { modinfo: [...GPL, ['softdep', 'pre: ring post: both']] },
} as const;

const CONF = `
alias mine top
alias mine late
alias my[0-9]* core
alias gone-astray nothing-there
alias to-alias mine
options top a=1	b=2
options mine c=3
options core deep="x y"
options left-side l
blacklist late
blacklist right
install cmd-only /bin/true $CMDLINE_OPTS
install early /bin/true early $CMDLINE_OPTS
install lonely /bin/true lonely
install failing /bin/false $CMDLINE_OPTS
alias fails-first failing
alias fails-first cmd-only
alias fails-last cmd-only
alias fails-last failing
remove top /bin/true
softdep core pre: cmd-only
bogus line
`;

function world(t: ExecutionContext): ModuleWorld {
  const made = makeWorld(t, {
    modules: MODULES,
    files: {
      [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: 'kernel/built-in.ko\n',
      [`lib/modules/${WORLD_RELEASE}/modules.builtin.modinfo`]: 'built_in.alias=builtin-*\0built_in.license=GPL\0',
      'etc/modprobe.d/a.conf': CONF,
    },
  });
  runKmod('depmod', ['-b', made.root, WORLD_RELEASE]);
  return made;
}

const NAMES = [
  'top',
  'left-side',
  'left_side',
  'right',
  'core',
  'early',
  'late',
  'lonely',
  'ring-a',
  'ring_b',
  'ring',
  'both',
  'pci:v1d2',
  'pci:v1d3',
  'pci:v9d2',
  'mine',
  'my7',
  'my-7',
  'to-alias',
  'gone-astray',
  'cmd-only',
  'failing',
  'fails-first',
  'fails-last',
  'built-in',
  'builtin-x',
  'nothing',
  'un[balanced',
  'top.ko',
  'TOP',
  'symbol:core_fn',
];

for (const flags of [
  ['-D'],
  ['-R'],
  ['-n', '-v'],
  ['-n'],
  ['-v'],
  [],
  ['-D', '-i'],
  ['-D', '-b'],
  ['-nvi'],
  ['-q', '-D'],
  ['-q'],
  ['-b', '-nv'],
  ['--first-time', '-n'],
  ['-a', '-D'],
  ['-qaR'],
  ['-r'],
  ['-rnv'],
  ['-r', '--first-time'],
  ['-ra'],
  ['-v', '-q'],
  ['-a'],
  ['-ab'],
  ['-i'],
  ['-Rb'],
  ['-f', '-nv'],
  ['--force-vermagic', '-D'],
  ['--remove-holders'],
]) {
  test(`modprobe ${flags.join(' ')} says what Debian's says, whatever it is asked for`, async t => {
    if (!kmodIsHere(t)) return;
    const { root, modprobeDir } = world(t);
    const common = ['-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE, ...flags];
    for (const name of NAMES) await sameAsKmod(t, 'modprobe', [...common, name]);
  });
}

test('parameters, several names and odd paths are treated alike', async t => {
  if (!kmodIsHere(t)) return;
  const { root, modprobeDir } = world(t);
  const common = ['-C', modprobeDir, '-S', WORLD_RELEASE];
  const at = [...common, '-d', root];
  const lines = [
    [...at, '-D', 'top', 'x=1', 'y=with blank', 'z="quoted one"', "w='single one'", 'flag', 'e='],
    [...at, '-nv', 'core', 'v=1'],
    [...at, '-aD', 'top', 'nothing', 'core'],
    [...at, '-aR', 'top', 'nothing', 'both'],
    [...at, '-R', 'top', 'both'],
    [...at, 'top', '-D', '--', 'x=1'],
    [...at, '-D', '--', 'core', '-D'],
    [...common, '-d', `${root}/`, '-D', 'core'],
    [...common, '-d', `${root}//./`, '-D', 'core'],
    [...at, '-rn', 'top', 'core'],
    [...at, '-r', 'nothing', 'core'],
    [...at, '-raq', 'nothing', 'core'],
    [...at, '-c'],
    [...at, '--show-c'],
    [...common, '-d', `${root}/nowhere`, '-D', 'core'],
    [...common, '-d', root, '-S', '1.2.3', '-R', 'core'],
    [...at],
  ];
  for (const words of lines) await sameAsKmod(t, 'modprobe', words);
});

test('MODPROBE_OPTIONS stands before the words of the command line', async t => {
  if (!kmodIsHere(t)) return;
  const { root, modprobeDir } = world(t);
  const words = ['-S', WORLD_RELEASE, '-D'];
  for (const options of [`-C ${modprobeDir} -d ${root}`, `-C ${modprobeDir} -d ${root} -q`]) {
    for (const name of ['top', 'nothing']) {
      await sameAsKmod(t, 'modprobe', [...words, name], { MODPROBE_OPTIONS: options });
    }
  }
  const at = ['-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE, '-nv', 'top'];
  for (const options of ['-D', '-D a"b', "-D 'core'", 'core -D', '-- core', '"-D"', "--config='/dev/null' -D", '-Z']) {
    await sameAsKmod(t, 'modprobe', at, { MODPROBE_OPTIONS: options });
  }
  // kmod 30 makes an empty word of the second of two blanks, and of the blank behind a quote, and fails.
  const plain = await runOurs('modprobe', [...words, 'top'], { MODPROBE_OPTIONS: `-C ${modprobeDir} -d ${root}` });
  const quoted = { MODPROBE_OPTIONS: ` -C  '${modprobeDir}'   -d "${root}" ` };
  t.deepEqual(await runOurs('modprobe', [...words, 'top'], quoted), plain);
});

test('exports and versions are shown of files, and of names as well', async t => {
  if (!kmodIsHere(t)) return;
  const { root, tree, modprobeDir } = world(t);
  const common = ['-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE];
  await sameAsKmod(t, 'modprobe', [...common, '--show-exports', `${tree}/kernel/core.ko`]);
  const shown = await sameAsKmod(t, 'modprobe', [...common, '--dump-modversions', `${tree}/kernel/top.ko`]);
  await sameAsKmod(t, 'modprobe', [...common, '--show-exports', `${tree}/modules.dep`]);
  await sameAsKmod(t, 'modprobe', [...common, '--show-exports', `${root}/nothing`]);
  t.is((await runOurs('modprobe', [...common, '--show-modversions', 'top'])).stdout, shown.stdout);
});

test('versions of the extended table are shown, and its names are dependencies', async t => {
  const { root, tree } = makeWorld(t, {
    modules: {
      'kernel/giver.ko': { exports: [['given', 0x55]] },
      'kernel/taker.ko': {
        extendedVersions: [
          ['given', 0x55],
          ['module_layout', 0xabcdef01],
        ],
      },
    },
  });
  t.is((await runOurs('depmod', ['-b', root, WORLD_RELEASE])).status, 0);
  t.regex(readFileSync(`${tree}/modules.dep`, 'utf8'), /^kernel\/taker\.ko: kernel\/giver\.ko$/m);
  const shown = { stdout: '0x00000055\tgiven\n0xabcdef01\tmodule_layout\n', stderr: '', status: 0 };
  for (const option of ['--show-modversions', '--dump-modversions']) {
    t.deepEqual(await runOurs('modprobe', [option, `${tree}/kernel/taker.ko`]), shown);
  }
  const symvers = `${root}/Module.symvers`;
  writeFileSync(symvers, '0xabcdef02\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n');
  const { stderr } = await runOurs('depmod', ['-n', '-e', '-E', symvers, '-b', root, WORLD_RELEASE]);
  t.regex(stderr, /taker\.ko.* disagrees about version of symbol module_layout/);
});

test('a file is as good as a name, with its dependencies', async t => {
  if (!kmodIsHere(t)) return;
  const { root, tree, modprobeDir } = world(t);
  const common = ['-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE];
  const byFile = await runOurs('modprobe', [...common, '-D', `${tree}/kernel/left-side.ko`]);
  t.deepEqual(byFile, await runOurs('modprobe', [...common, '-D', 'left-side']));
  t.is((await runOurs('modprobe', [...common, '-D', '/nothing.ko'])).status, 1);
});

test('an install command has our standard output, the options and the name of the module', async t => {
  if (!kmodIsHere(t)) return;
  const { root, modprobeDir } = makeWorld(t, {
    files: {
      'etc/modprobe.d/a.conf': `install asked echo "$MODPROBE_MODULE|$CMDLINE_OPTS|$MODPROBE_OPTIONS" > $OUT\noptions asked a=1\n`,
      [`lib/modules/${WORLD_RELEASE}/modules.dep`]: '',
    },
  });
  const words = ['-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE, '-v', 'asked', 'b=2'];
  const said: string[] = [];
  for (const run of [runKmod, runOurs]) {
    const file = `${root}/${said.length}`;
    const { status } = await run('modprobe', words, {
      OUT: file,
      MODPROBE_OPTIONS: '-q',
      PATH: process.env['PATH'] ?? '',
    });
    t.is(status, 0);
    said.push(readFileSync(file, 'utf8'));
  }
  t.is(said[1], said[0]);
  t.regex(said[0] ?? '', /^asked\|a=1 b=2\|/);
});

test('a command line that is not understood gets the sentence and status of glibc', async t => {
  if (!kmodIsHere(t)) return;
  const lines = [
    ['--bogus'],
    ['-Z'],
    ['-qZ'],
    ['-C'],
    ['--dirname'],
    ['--dry-run=3'],
    ['--sho=1'],
    ['--i'],
    ['--ignore'],
    ['--ver'],
    ['--re'],
    ['--wait'],
    ['-w', 'x', 'y'],
    ['-w', '', 'y'],
    ['-w', '08', 'y'],
    ['-w', '5x', 'y'],
    ['-w', ' 5', '-R', 'none'],
    ['-w', '+010', '-R', 'none'],
    ['-w', '-1', '-R', 'none'],
    ['-w', '0x1f', '-R', 'none'],
    ['-w', '99999999999999999999', '-R', 'none'],
    ['--=x'],
    ['-n', '-'],
    ['--config=/dev/null', '-R', 'none'],
  ];
  for (const words of lines) {
    const theirs = runKmod('modprobe', words);
    const ours = await runOurs('modprobe', words);
    // glibc says the path of the program; of ambiguous names ours has one more, and lists them in the order of --help.
    const tidy = (text: string): string[] =>
      text
        .replace(/^\S*modprobe: /gm, '')
        .split(/(?= '--)/)
        .map(word => word.trim())
        .filter(word => word !== "'--show-alias'")
        .toSorted();
    t.deepEqual([words, ours.status, tidy(ours.stderr)], [words, theirs.status, tidy(theirs.stderr)]);
  }
});
