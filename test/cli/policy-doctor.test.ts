import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeFakeKernel } from '../support/fake-kernel.ts';
import { kmodIsHere, makeWorld, runKmod, WORLD_RELEASE, type KmodAnswer } from '../support/module-world.ts';
import { jsonLines, usher } from '../support/usher.ts';

const TREE = {
  [`lib/modules/${WORLD_RELEASE}/modules.dep`]:
    'user.ko: base.ko\nbase.ko:\nmasked.ko:\nlisted.ko:\nbanned.ko:\nreal.ko:\nhelped.ko: listed.ko\n',
  [`lib/modules/${WORLD_RELEASE}/modules.alias`]: 'alias net-pf-21 base\n',
  [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: 'kernel/inside.ko\n',
};

const at = (root: string): readonly string[] => ['--root', root, '--kernel', WORLD_RELEASE];

function makeRoot(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const { root } = makeWorld(t, { files: { ...TREE, ...files } });
  makeFakeKernel(root, [{ name: 'listed', refcnt: 0 }]);
  return root;
}

interface Check {
  readonly module: string;
  readonly stopsUsher: readonly string[];
  readonly stopsKmod: readonly string[];
  readonly disagree: readonly string[];
  readonly comesWith: readonly string[];
  readonly isBuiltin: boolean;
  readonly isLoaded: boolean;
  readonly mechanisms: readonly {
    readonly kind: string;
    readonly place?: { readonly line: number };
    readonly note?: string;
  }[];
}

test('the doctor says of each module named anywhere what stops it and what does not', async t => {
  const root = makeRoot(t, {
    'etc/modprobe.d/a.conf': [
      'blacklist listed',
      'install masked /bin/false',
      'install real /sbin/modprobe --ignore-install real',
      'install real /bin/true',
      'install helped echo hello',
      'blacklist inside',
    ].join('\n'),
  });
  writeFileSync(path.join(root, 'proc/cmdline'), 'quiet modprobe.blacklist=user module_blacklist=banned\n');
  const { stdout, status, stderr } = await usher('policy', 'doctor', '--json', ...at(root));
  t.deepEqual([status, stderr], [0, '']);
  const checks = jsonLines<Check>({ stdout, status, stderr });
  t.deepEqual(
    checks.map(({ module, stopsUsher, disagree, mechanisms }) => [
      module,
      stopsUsher.join(' '),
      disagree.length,
      mechanisms.map(({ kind }) => kind).join(' '),
    ]),
    [
      ['banned', 'device dependency modprobe insmod', 0, 'module_blacklist='],
      ['inside', 'device', 0, 'blacklist'],
      ['listed', 'device', 0, 'blacklist'],
      ['masked', 'device dependency modprobe', 0, 'install'],
      ['real', '', 0, 'install'],
      ['user', 'device', 0, 'modprobe.blacklist='],
    ],
  );
  t.like(checks[1], { isBuiltin: true });
  t.like(checks[2], { isLoaded: true, comesWith: ['helped'] });
  t.is(checks[4]?.mechanisms[0]?.note, 'another install line comes first');
});

test('where usherd stops what a plain modprobe loads, the doctor says so with status 1', async t => {
  const root = makeRoot(t, { 'etc/modprobe.d/a.conf': 'blacklist base\n' });
  t.is((await usher('forbid', 'base', '--reason', 'x', ...at(root))).status, 0);
  const { stdout, status } = await usher('policy', 'doctor', ...at(root));
  t.is(status, 1);
  t.deepEqual(stdout.replaceAll(root, '').replaceAll(/ +$/gm, '').split('\n'), [
    'MODULE  DEVICE   DEPENDENCY  MODPROBE    INSMOD      BY',
    'base    stopped  only usher  only usher  only usher  blacklist /etc/modprobe.d/a.conf:1, forbid /var/lib/usherd/decisions.toml:5',
    'base: a plain modprobe does not obey (dependency, modprobe, insmod): usher policy export --modprobe.d writes lines it does',
    '',
  ]);
});

test('a forbidden alias that modprobe.d does not know of is a disagreement, too', async t => {
  const root = makeRoot(t, {});
  t.is((await usher('forbid', 'net-pf-*', '--reason', 'x', ...at(root))).status, 0);
  const { stdout, status } = await usher('policy', 'doctor', ...at(root));
  t.deepEqual(
    [status, stdout.split('\n')],
    [
      1,
      [
        'nothing names a module that is to be kept out',
        'net_pf_*: what it names is stopped for whoever matches it, by usher only: usher policy export --modprobe.d writes a line a plain modprobe obeys',
        '',
      ],
    ],
  );
});

test("what is exported is obeyed by Debian's modprobe: by name, as a dependency, and by alias", async t => {
  if (!kmodIsHere(t)) return;
  const { root, modprobeDir } = makeWorld(t, {
    modules: {
      'base.ko': { exports: [['base_symbol', 1]] },
      'user.ko': { needs: ['base_symbol'] },
      'rare.ko': { modinfo: [['alias', 'net-pf-21']] },
      'free.ko': {},
    },
  });
  runKmod('depmod', ['-b', root, WORLD_RELEASE]);
  mkdirSync(modprobeDir, { recursive: true });
  const ask = (...words: readonly string[]): KmodAnswer =>
    runKmod('modprobe', ['-d', root, '-S', WORLD_RELEASE, '-C', modprobeDir, ...words]);
  t.deepEqual(
    ['user', 'net-pf-21', 'free'].map(word => ask('-n', word).status),
    [0, 0, 0],
  );
  for (const subject of ['base', 'net-pf-[12]*'])
    t.is((await usher('forbid', subject, '--reason', 'a\nb \\', ...at(root))).status, 0);
  const { stdout, status } = await usher('policy', 'export', '--modprobe.d', ...at(root));
  t.is(status, 0);
  writeFileSync(path.join(modprobeDir, 'usherd.conf'), stdout);
  t.is(ask('-n', '-v', 'base').stdout, 'install /bin/false \n');
  for (const word of ['base', 'user']) {
    const real = ask(word);
    t.is(real.status, 1);
    t.regex(real.stderr, /Error running install command '\/bin\/false ?' for module base/);
  }
  t.deepEqual([ask('-n', '-v', 'net-pf-21').stdout, ask('net-pf-21').status], ['', 1]);
  t.regex(ask('-n', '-v', 'free').stdout, /^insmod \S+free\.ko \n$/);
  const [check] = jsonLines<Check>(await usher('policy', 'doctor', '--json', ...at(root)));
  const aliases = jsonLines<object>(await usher('policy', 'doctor', '--json', ...at(root))).slice(1);
  t.like(aliases, [{ alias: 'net_pf_[12]*', isExported: true }]);
  // What is left is insmod, which obeys no configuration.
  t.deepEqual([check?.module, check?.disagree], ['base', ['insmod']]);
});
