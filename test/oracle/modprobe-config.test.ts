import test from 'ava';
import type { Directive } from '../../core/kmod/config/directive.ts';
import { type ModprobeConfig, readModprobeConfig } from '../../core/kmod/config/modprobe-config.ts';
import { lookupModules } from '../../core/kmod/lookup/module-lookup.ts';
import { ModuleTree } from '../../core/kmod/module-tree.ts';
import { assertNever } from '../../core/vocabulary/assert-never.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';
import { kmodIsHere, makeWorld, runKmod, WORLD_RELEASE } from '../support/module-world.ts';

/** What modprobe -c prints of the configuration, without what comes from this machine's own kernel command line. */
function showConfig(directives: readonly Directive[]): string[] {
  const kinds = ['blacklist', 'install', 'remove', 'alias', 'options', 'softdep'] as const;
  return kinds.flatMap(kind => directives.filter(directive => directive.kind === kind).map(showDirective));
}

function showDirective(directive: Directive): string {
  switch (directive.kind) {
    case 'alias':
      return `alias ${directive.pattern} ${directive.module}`;
    case 'options':
      return `options ${directive.module} ${directive.text}`;
    case 'install':
    case 'remove':
      return `${directive.kind} ${directive.pattern} ${directive.command}`;
    case 'softdep': {
      const pre = directive.pre.length > 0 ? `pre: ${directive.pre.join(' ')}` : '';
      const post = directive.post.length > 0 ? `post: ${directive.post.join(' ')}` : '';
      // modprobe 30 leaves out the blank between the two.
      return `softdep ${directive.module} ${pre}${post}`;
    }
    case 'weakdep':
      return `weakdep ${directive.module} ${directive.modules.join(' ')}`;
    case 'blacklist':
      return `blacklist ${directive.module}`;
    default:
      return assertNever(directive);
  }
}

const LINES = String.raw`
alias foo[a-b-x*] m-od
alias bad] x
alias q\*r star
options  foo-x 	  a=1	b=2  
options foo
options foo 
options foo  
  # an indented comment is a bad line
blacklist b-l extra words
install in-st*   /bin/true	"a"  
remove re-m echo \\ a\b
softdep so-ft a pre: b-c d post: e
softdep foo* pre: y
softdep post-first post: p pre: q
alias two \
  lines
# a comment that goes on \
alias lost lost
bogus line
include /x
config x
alias only
blacklist
softdep x
alias crlf target
alias last lastmod`;

test('every line rule of modprobe.d gives what modprobe -c shows', t => {
  if (!kmodIsHere(t)) return;
  const world = makeWorld(t, { files: { 'etc/modprobe.d/a.conf': LINES } });
  const { stdout } = runKmod('modprobe', ['-C', world.modprobeDir, '-d', world.root, '-S', WORLD_RELEASE, '-c']);
  const config = readModprobeConfig({ dirs: [world.modprobeDir], treeFiles: [] });
  const shown = showConfig(config.directives);
  const theirs = stdout
    .slice(0, stdout.indexOf('\n# End of configuration'))
    .split('\n')
    .filter(line => line !== '');
  // Options of this machine's command line come last among the options, and are not ours here.
  const own = theirs.filter(line => !line.startsWith('options') || shown.includes(line));
  t.deepEqual(shown, own);
  t.is(shown.length, 13);
});

const MODULES = {
  'kernel/drivers/top.ko': {
    modinfo: [
      ['license', 'GPL'],
      ['alias', 'pci:v1d*'],
      ['alias', 'pci:v*d2'],
      ['depends', 'left,right'],
    ],
    needs: ['left_fn', 'right_fn'],
  },
  'kernel/drivers/left-side.ko': { modinfo: [['alias', 'pci:v1d2']], exports: [['left_fn', 1]], needs: ['core_fn'] },
  'kernel/drivers/right.ko': {
    modinfo: [['softdep', 'pre: early post: late']],
    exports: [['right_fn', 2]],
    needs: ['core_fn'],
  },
  'kernel/lib/core.ko': { exports: [['core_fn', 3]] },
  'kernel/lib/early.ko': { modinfo: [['license', 'GPL']] },
  'kernel/lib/late.ko': { modinfo: [['license', 'GPL']] },
} as const;

const QUERIES = [
  'top',
  'left-side',
  'left_side',
  'pci:v1d2',
  'pci:v1d3',
  'pci:v9d2',
  'pci:v9d9',
  'symbol:core_fn',
  'symbol:none',
  'mine',
  'mine-two',
  'my9',
  'top.ko',
  'only-installed',
  'only_removed',
  'wild-install',
  'alias-to-alias',
  'built-in',
  'builtin-alias',
  'nothing',
  'un[balanced',
  'TOP',
];

test('a made-up world answers every kind of query as modprobe -R does', t => {
  if (!kmodIsHere(t)) return;
  const world = makeWorld(t, {
    modules: MODULES,
    files: {
      [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: 'kernel/fs/built-in.ko\n',
      [`lib/modules/${WORLD_RELEASE}/modules.builtin.modinfo`]:
        'built_in.alias=builtin-*\0built_in.license=GPL\0other.alias=*alias\0',
      'etc/modprobe.d/z.conf': 'alias my[0-9] core\nalias mine top\n',
      'etc/modprobe.d/a.conf':
        'alias mine early\nalias mine-* late\ninstall only-installed /bin/true\nremove only-removed /bin/true\ninstall wild-* /bin/true\nalias alias-to-alias mine\n',
    },
  });
  runKmod('depmod', ['-b', world.root, WORLD_RELEASE]);
  const tree = ModuleTree.open(world.tree);
  const config = readModprobeConfig({ dirs: [world.modprobeDir], treeFiles: [tree.softdepFile, tree.weakdepFile] });
  const common = ['-q', '-C', world.modprobeDir, '-d', world.root, '-S', WORLD_RELEASE];
  const theirs = QUERIES.map(query => [
    query,
    runKmod('modprobe', [...common, '-R', query])
      .stdout.trim()
      .split('\n')
      .join(' '),
  ]);
  const ours = QUERIES.map(query => [
    query,
    lookupModules(query, tree, config)
      .map(({ module }) => module)
      .join(' '),
  ]);
  t.deepEqual(ours, theirs);
  t.deepEqual(config.softdepOf(moduleName('right')), {
    kind: 'softdep',
    module: moduleName('right'),
    pre: ['early'],
    post: ['late'],
    place: { file: tree.softdepFile, line: 2 },
  });
});

test('a module knows its dependencies in the order modprobe -D reverses', t => {
  if (!kmodIsHere(t)) return;
  const world = makeWorld(t, { modules: MODULES });
  runKmod('depmod', ['-b', world.root, WORLD_RELEASE]);
  const tree = ModuleTree.open(world.tree);
  const top = tree.module(moduleName('top'));
  t.truthy(top);
  if (top === undefined) return;
  const { stdout } = runKmod('modprobe', [
    '-C',
    world.modprobeDir,
    '-d',
    world.root,
    '-S',
    WORLD_RELEASE,
    '-D',
    'core',
    '-a',
    'top',
    '-i',
  ]);
  const inserted = stdout.split('\n').flatMap(line => /^insmod \S*\/([^/]+)\.ko/.exec(line)?.[1] ?? []);
  t.deepEqual(
    inserted
      .filter(name => name !== 'early' && name !== 'late')
      .slice(1)
      .map(moduleName),
    [...top.dependencies.toReversed(), top.name].filter((name, i, all) => all.indexOf(name) === i),
  );
});

test('masking, order of files and the place of the tree’s own softdeps are those of modprobe', t => {
  if (!kmodIsHere(t)) return;
  const world = makeWorld(t, {
    modules: MODULES,
    files: {
      'etc/modprobe.d/a.conf': 'softdep right pre: core\n',
      'etc/modprobe.d/.hidden.conf': 'blacklist hidden\n',
      'etc/modprobe.d/not-conf': 'blacklist not_conf\n',
      'etc/modprobe.d/sub.conf/x.conf': 'blacklist in_folder\n',
      'etc/modprobe.d/masked.conf': 'blacklist from_etc\n',
      'run/modprobe.d/masked.conf': 'blacklist from_run\n',
      'lib/modprobe.d/Z.conf': 'blacklist upper_z\n',
      'lib/modprobe.d/b.conf': 'blacklist lower_b\n',
    },
  });
  runKmod('depmod', ['-b', world.root, WORLD_RELEASE]);
  const tree = ModuleTree.open(world.tree);
  const config: ModprobeConfig = readModprobeConfig({
    dirs: ['etc', 'run', 'usr/local/lib', 'lib'].map(dir => `${world.root}/${dir}/modprobe.d`),
    treeFiles: [tree.softdepFile, tree.weakdepFile],
  });
  t.deepEqual(
    config.directives.map(directive => showDirective(directive)),
    [
      'blacklist upper_z',
      'softdep right pre: core',
      'blacklist lower_b',
      'blacklist from_etc',
      'softdep right pre: early post: late',
    ].map(line => line.replace(' post', 'post')),
  );
  t.deepEqual(config.softdepOf(moduleName('right'))?.pre, ['core']);
  t.deepEqual(
    config.problems.map(({ place }) => place.file),
    [`${world.modprobeDir}/sub.conf`],
  );
});
