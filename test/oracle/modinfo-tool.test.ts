import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { appendSignature, writeKo } from '../support/ko-writer.ts';
import { kmodIsHere, makeWorld, runKmod, skip, WORLD_RELEASE, type ModuleWorld } from '../support/module-world.ts';
import { runOurs, sameAsKmod } from '../support/run-tool.ts';

const RICH = {
  modinfo: [
    ['license', 'GPL'],
    ['parm', 'described:what it does'],
    ['parmtype', 'described:int'],
    ['parmtype', 'typed:bool'],
    ['parm', 'told:only told'],
    ['parm', 'colons:a:b:c'],
    ['parmtype', 'colons:array of charp'],
    ['parm', 'empty:'],
    ['author', 'Jörg <j@example.org>'],
    ['author', 'Somebody'],
    ['a_key_that_is_longer_than_fifteen', 'x'],
    ['fifteen_letters', 'y'],
    ['novalue', ''],
    ['alias', 'pci:v1*'],
    ['alias', 'pci:v*2'],
    ['depends', 'plain,other'],
    ['vermagic', '6.1.0-test SMP mod_unload '],
  ],
} as const;

function world(t: ExecutionContext): ModuleWorld {
  const made = makeWorld(t, {
    modules: {
      'kernel/rich.ko': RICH,
      'kernel/plain.ko': { modinfo: [['alias', 'pci:v12']] },
      'kernel/nothing-said.ko': {},
      'kernel/signed.ko': appendSignature(writeKo({ modinfo: [['license', 'GPL']] }), Buffer.from('no PKCS#7 at all')),
      'kernel/packed.ko.zst': zstdCompressSync(writeKo(RICH)),
      'kernel/misnamed.ko.xz': zstdCompressSync(writeKo(RICH)),
      'kernel/odd-parameters.ko': {
        modinfo: [
          ['parm', 'without'],
          ['parmtype', 'without'],
          ['parm', ':nameless'],
          ['parm', 'x:x'],
        ],
      },
      'kernel/broken.ko': Buffer.from('this is no ELF file, and it is long enough to look at its header in vain'),
    },
    files: {
      [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: 'kernel/in-built.ko\nkernel/mute.ko\n',
      [`lib/modules/${WORLD_RELEASE}/modules.builtin.modinfo`]:
        'in_built.license=GPL\0in_built.alias=builtin-*\0in_built.parm=x:an x\0in_built.parmtype=x:int\0',
    },
  });
  runKmod('depmod', ['-b', made.root, WORLD_RELEASE]);
  return made;
}

const NAMES = [
  'rich',
  'plain',
  'nothing-said',
  'nothing_said',
  'signed',
  'packed',
  'misnamed',
  'broken',
  'odd-parameters',
  'in-built',
  'mute',
  'builtin-x',
  'pci:v12',
  'pci:v13',
  'un[balanced',
  'rich.ko',
  'none',
];

for (const form of [
  [],
  ['-0'],
  ['-p'],
  ['-p0'],
  ['-a'],
  ['-F', 'alias'],
  ['--field=parm'],
  ['-F', 'filename'],
  ['-F', 'parmtype'],
  ['-F', 'signer'],
  ['-n'],
  ['-0n'],
  ['-m'],
  ['-n', '-F', 'license'],
  ['-F', 'license', '-d'],
  ['-F', 'name'],
  ['-F', ''],
  ['-m0'],
  ['-adl'],
]) {
  test(`modinfo ${form.join(' ')} prints of every kind of module what Debian’s prints`, async t => {
    if (!kmodIsHere(t)) return;
    const { root, tree } = world(t);
    const common = [...form, '-b', root, '-k', WORLD_RELEASE];
    for (const file of ['rich.ko', 'broken.ko', 'missing.ko', '../modules.dep']) {
      await sameAsKmod(t, 'modinfo', [...common, `${tree}/kernel/${file}`]);
    }
    for (const name of NAMES) await sameAsKmod(t, 'modinfo', [...common, name]);
    await sameAsKmod(t, 'modinfo', [...common, ...NAMES]);
  });
}

test('modinfo without a name, and one that is not understood, fail as Debian’s do', async t => {
  if (!kmodIsHere(t)) return;
  for (const words of [[], ['-Z'], ['-F'], ['-k', WORLD_RELEASE, 'x'], ['-b', '/nowhere', 'x']]) {
    await sameAsKmod(t, 'modinfo', words);
  }
});

test('the id of a build is there for who asks, and not among what kmod 30 prints', async t => {
  for (const endian of ['little', 'big'] as const) {
    const buildId = Buffer.from('d94c1448499c2631a82119de2ad0d9ee3e80fbdb', 'hex');
    const { tree } = makeWorld(t, {
      modules: { 'a.ko': { endian, buildId, modinfo: [['license', 'GPL']] }, 'b.ko': {} },
    });
    const file = `${tree}/a.ko`;
    const told = 'D9:4C:14:48:49:9C:26:31:A8:21:19:DE:2A:D0:D9:EE:3E:80:FB:DB';
    t.is((await runOurs('modinfo', ['-F', 'build-id', file, `${tree}/b.ko`])).stdout, `${told}\n`);
    t.is((await runOurs('modinfo', [file])).stdout, `filename:       ${file}\nlicense:        GPL\n`);
    const { stdout } = await runOurs('modinfo', ['--json', file]);
    t.deepEqual((JSON.parse(stdout) as { fields: object }).fields, { license: ['GPL'], 'build-id': [told] });
  }
});

test('a note that is not whole is no id', async t => {
  const { tree } = makeWorld(t, { modules: { 'a.ko': { buildId: Buffer.from('0102', 'hex') } } });
  const whole = readFileSync(`${tree}/a.ko`);
  const at = whole.indexOf(Buffer.from('GNU\0')) - 12;
  for (const [place, byte] of [
    [0, 9],
    [4, 3],
    [8, 1],
    [12, 0],
  ] as const) {
    const bytes = Buffer.from(whole);
    bytes[at + place] = byte;
    writeFileSync(`${tree}/b.ko`, bytes);
    t.deepEqual(await runOurs('modinfo', ['-F', 'build-id', `${tree}/b.ko`]), { stdout: '', stderr: '', status: 0 });
  }
});

test('a parameter without a name is left out, and said', async t => {
  const { tree } = makeWorld(t, {
    modules: {
      'odd.ko': {
        modinfo: [
          ['parm', 'without'],
          ['parmtype', 'bare'],
        ],
      },
    },
  });
  const { stderr, stdout } = await runOurs('modinfo', ['-p', `${tree}/odd.ko`]);
  t.deepEqual(
    [stdout, stderr.split('\n')],
    [
      '',
      [
        `modinfo: ERROR: Found invalid "parm=without": missing ':'`,
        `modinfo: ERROR: Found invalid "parmtype=bare": missing ':'`,
        '',
      ],
    ],
  );
});

test('a module reads the same, however it is packed', async t => {
  const { root, tree } = makeWorld(t, { modules: { 'rich.ko': RICH } });
  const plain = readFileSync(`${tree}/rich.ko`);
  const expected = await runOurs('modinfo', [`${tree}/rich.ko`]);
  writeFileSync(`${root}/rich.ko.gz`, gzipSync(plain));
  writeFileSync(`${root}/rich.ko.zst`, zstdCompressSync(plain));
  const files = [`${root}/rich.ko.gz`, `${root}/rich.ko.zst`];
  if (spawnSync('xz', ['--version']).status === 0) {
    writeFileSync(`${root}/rich.ko.xz`, execFileSync('xz', ['-c', '--check=crc32'], { input: plain }));
    files.push(`${root}/rich.ko.xz`);
  } else skip(t, 'xz is not installed');
  for (const file of files) {
    const { stdout, stderr, status } = await runOurs('modinfo', [file]);
    t.deepEqual({ stdout, stderr, status }, { ...expected, stdout: expected.stdout.replace(`${tree}/rich.ko`, file) });
  }
});

test('modinfo --json has every field and every parameter', async t => {
  const { tree } = makeWorld(t, { modules: { 'rich.ko': RICH } });
  const { stdout } = await runOurs('modinfo', ['--json', `${tree}/rich.ko`]);
  t.deepEqual(JSON.parse(Buffer.from(stdout, 'latin1').toString()), {
    name: 'rich',
    file: `${tree}/rich.ko`,
    fields: {
      license: ['GPL'],
      author: ['Jörg <j@example.org>', 'Somebody'],
      a_key_that_is_longer_than_fifteen: ['x'],
      fifteen_letters: ['y'],
      novalue: [''],
      alias: ['pci:v1*', 'pci:v*2'],
      depends: ['plain,other'],
      vermagic: ['6.1.0-test SMP mod_unload '],
    },
    parameters: [
      { name: 'described', description: 'what it does', type: 'int' },
      { name: 'typed', description: '', type: 'bool' },
      { name: 'told', description: 'only told', type: '' },
      { name: 'colons', description: 'a:b:c', type: 'array of charp' },
      { name: 'empty', description: '', type: '' },
    ],
  });
});
