import { readFileSync } from 'node:fs';
import path from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { readDepmodConfig } from '../../core/kmod/depmod/depmod-conf.ts';
import { parseSymvers, parseSystemMap } from '../../core/kmod/depmod/known-symbols.ts';
import { type DepmodPlan, type DepmodRequest, planDepmod } from '../../core/kmod/depmod/plan-depmod.ts';
import { decompressors } from '../../core/kmod/ko/compression.ts';
import { debianTree } from '../support/debian-tree.ts';
import { writeKo } from '../support/ko-writer.ts';
import {
  kmodIsHere,
  makeWorld,
  type ModuleWorld,
  runKmod,
  WORLD_RELEASE,
  type WorldSpec,
} from '../support/module-world.ts';

/** Files Debian's depmod 30 writes; modules.weakdep came with kmod 33. */
const FILES = [
  'modules.dep',
  'modules.dep.bin',
  'modules.alias',
  'modules.alias.bin',
  'modules.softdep',
  'modules.symbols',
  'modules.symbols.bin',
  'modules.builtin.bin',
  'modules.builtin.alias.bin',
  'modules.devname',
] as const;

function plan({ root, tree }: ModuleWorld, request: Partial<DepmodRequest> = {}): DepmodPlan {
  const config = readDepmodConfig({ dirs: [`${root}/etc/depmod.d`], release: WORLD_RELEASE });
  return planDepmod({ dir: tree, config, unpackers: decompressors(), ...request });
}

function bytesOf({ outputs }: DepmodPlan, name: string): string | undefined {
  return outputs.find(output => output.name === name)?.bytes.toString('latin1');
}

/** Makes a world, has both index it, and compares every file. */
function compare(t: ExecutionContext, spec: WorldSpec): DepmodPlan | undefined {
  if (!kmodIsHere(t)) return undefined;
  const world = makeWorld(t, spec);
  const ours = plan(world);
  const theirs = runKmod('depmod', ['-b', world.root, '-C', `${world.root}/etc/depmod.d`, WORLD_RELEASE]);
  t.is(theirs.status, 0, theirs.stderr);
  for (const name of FILES) {
    t.is(bytesOf(ours, name), readFileSync(path.join(world.tree, name), 'latin1'), name);
  }
  return ours;
}

const BUS = {
  'kernel/bus/bus-core.ko': {
    exports: [
      ['bus_register', 1],
      ['bus_find', 2],
    ],
    modinfo: [['license', 'GPL']],
  },
  'kernel/bus/bus-pci.ko': {
    needs: ['bus_register', 'printk'],
    exports: [['pci_bus', 3]],
    modinfo: [['alias', 'pci:v*d1-2*']],
  },
  'kernel/net/left.ko': {
    needs: ['pci_bus', 'bus_find'],
    modinfo: [
      ['alias', 'pci:v1d[0-9-a]*'],
      ['alias', 'bad['],
    ],
  },
  'kernel/net/right.ko': {
    needs: ['bus_find'],
    exports: [['shared', 4]],
    modinfo: [['softdep', 'pre: left post: x-y']],
  },
  'kernel/net/top.ko': {
    needs: ['shared', 'pci_bus', { weak: 'nowhere' }],
    modinfo: [
      ['alias', 'pci:v1*'],
      ['alias', 'pci:v1*'],
    ],
  },
  'extra/dev.ko': {
    modinfo: [
      ['alias', 'char-major-10-77'],
      ['alias', 'devname:net/dev'],
      ['alias', 'block-major-3-*'],
    ],
  },
  'extra/noname.ko': { modinfo: [['alias', 'devname:lonely']] },
} as const;

test('a world with every kind of line is indexed byte for byte as by depmod', t => {
  const ours = compare(t, {
    modules: BUS,
    files: {
      [`lib/modules/${WORLD_RELEASE}/modules.order`]: 'kernel/net/top.ko\nkernel/bus/bus-core.ko\nkernel/gone.ko\n',
      [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: 'kernel/fs/ext-4.ko\nkernel/a.ko\n',
      [`lib/modules/${WORLD_RELEASE}/modules.builtin.modinfo`]:
        'ext_4.alias=fs-ext4\0ext_4.license=GPL\0a.alias=b-[x-y]\0',
    },
  });
  if (ours === undefined) return;
  t.deepEqual(
    ours.problems.map(({ message }) => message),
    [
      'left out "bad[" of left, wanted its brackets in pairs',
      'has the device name "lonely" without numbers, wanted an alias char-major-N-M or block-major-N-M, too',
    ],
  );
});

test('an empty tree, and one without modules.order and the files of the kernel’s build', t => {
  compare(t, { files: { [`lib/modules/${WORLD_RELEASE}/modules.builtin`]: '' } });
  compare(t, { modules: BUS });
});

/** kmod takes only frames that say how much is in them. */
function packWithSize(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes, { pledgedSrcSize: bytes.length });
}

test('packed modules are indexed under their packed names', t => {
  compare(t, {
    modules: {
      'kernel/a.ko.zst': packWithSize(writeKo({ exports: [['a_fn', 1]] })),
      'kernel/b.ko.zst': packWithSize(writeKo({ needs: ['a_fn'] })),
    },
    files: { [`lib/modules/${WORLD_RELEASE}/modules.order`]: 'kernel/b.ko\nkernel/a.ko\n' },
  });
});

test('a module without versions and one of 32 bits, big-endian, link like any other', t => {
  compare(t, {
    modules: {
      'kernel/a.ko': {
        exports: [
          ['a_fn', 1],
          ['a_other', 1],
        ],
        withoutCrcs: true,
      },
      'kernel/b.ko': { bits: 32, endian: 'big', needs: ['a_fn'], versions: [['a_other', 1]], exports: [['b_fn', 9]] },
      'kernel/c.ko': { needs: ['.b_fn'], versions: [['a_fn', 1]] },
    },
  });
});

test('a file that is no module is kept and needs nothing', t => {
  const ours = compare(t, { modules: { 'kernel/a.ko': Buffer.from('no module'), 'kernel/b.ko': { needs: ['x'] } } });
  if (ours)
    t.true(ours.problems.some(({ message }) => /^is taken to need nothing: .* is not an ELF file$/.test(message)));
});

const TWICE = {
  'kernel/a.ko': { exports: [['from_kernel', 1]] },
  'updates/a.ko': { exports: [['from_updates', 1]] },
  'weak/a.ko': { exports: [['from_weak', 1]] },
  'kernel/user.ko': { needs: ['from_kernel', 'from_updates', 'from_weak'] },
} as const;

for (const conf of [
  '',
  'search weak built-in updates\n',
  'search updates\nsearch weak built-in\n',
  'override a * weak\n',
  `override a 6.1 weak\noverride a ^5 updates\noverride a * kernel\n`,
  'exclude updates\nsearch updates weak built-in\n',
]) {
  test(`of files with one name depmod.d decides: ${JSON.stringify(conf)}`, t => {
    // Two places of equal strength would be decided by readdir(3), so the third is left out where nothing tells it apart.
    const { 'weak/a.ko': weak, ...two } = TWICE;
    const modules = conf.includes('weak') ? { ...two, 'weak/a.ko': weak } : two;
    compare(t, { modules, files: { 'etc/depmod.d/a.conf': conf } });
  });
}

test('modules that need each other are named, and nothing is written', t => {
  if (!kmodIsHere(t)) return;
  const world = makeWorld(t, {
    modules: {
      'a.ko': { needs: ['b_fn'], exports: [['a_fn', 1]] },
      'b.ko': { needs: ['c_fn'], exports: [['b_fn', 1]] },
      'c.ko': { needs: ['a_fn', 'd_fn'], exports: [['c_fn', 1]] },
      'd.ko': { exports: [['d_fn', 1]] },
      'self.ko': { needs: ['self_fn'], exports: [['self_fn', 1]] },
      'fine.ko': {},
    },
  });
  const { cycles, modulesInCycles, outputs } = plan(world);
  const theirs = runKmod('depmod', ['-b', world.root, WORLD_RELEASE]);
  t.is(theirs.status, 1);
  t.regex(theirs.stderr, new RegExp(`Found ${modulesInCycles} modules in dependency cycles!`));
  t.deepEqual(outputs, []);
  t.is(cycles.length, (theirs.stderr.match(/Cycle detected/g) ?? []).length);
  for (const cycle of cycles) t.is(cycle[0], cycle.at(-1));
  t.deepEqual(
    cycles.map(cycle => [...new Set(cycle)].toSorted() as string[]).toSorted((a, b) => a.length - b.length),
    [['self'], ['a', 'b', 'c']],
  );
});

/** What depmod -e complains of: module and sentence. */
function heard(stderr: string): string[] {
  const complaints = stderr.matchAll(/(\w+)\.ko (needs unknown symbol \w+|disagrees about version of symbol \w+)/g);
  return Array.from(complaints, ([, name, what]) => `${name} ${what}`).toSorted();
}

/** The same of ours. */
function said({ problems }: DepmodPlan): string[] {
  return problems
    .filter(({ message }) => message.includes('symbol'))
    .map(({ place, message }) => `${path.basename(place.file, '.ko')} ${message}`)
    .toSorted();
}

test('what nobody exports, and checksums that differ, are named as depmod -e names them', t => {
  if (!kmodIsHere(t)) return;
  const world = makeWorld(t, {
    modules: {
      'a.ko': {
        exports: [['a_fn', 7]],
        needs: ['printk', 'missing', { weak: 'maybe' }],
        versions: [
          ['printk', 1],
          ['missing', 2],
        ],
      },
      'b.ko': {
        needs: ['a_fn', 'vfs'],
        versions: [
          ['a_fn', 8],
          ['vfs', 9],
        ],
      },
    },
    files: {
      symvers:
        '0x00000001\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n0x00000003\tvfs\tvmlinux\tEXPORT_SYMBOL\t\n0x5\tmissing\tdrivers/x\tEXPORT\t\n',
      'System.map':
        'ffffffff81000000 T printk\nffffffff81000008 r __ksymtab_printk\nffffffff81000010 r __ksymtab_vfs\n',
    },
  });
  const file = (name: string): string => path.join(world.root, name);
  const symvers = parseSymvers(readFileSync(file('symvers'), 'utf8'), 'symvers');
  const map = parseSystemMap(readFileSync(file('System.map'), 'utf8'), 'System.map');
  t.deepEqual(
    said(plan(world, { knownSymbols: symvers.symbols, checkVersions: true })),
    heard(runKmod('depmod', ['-n', '-e', '-E', file('symvers'), '-b', world.root, WORLD_RELEASE]).stderr),
  );
  t.deepEqual(
    said(plan(world, { knownSymbols: map.symbols })),
    heard(runKmod('depmod', ['-n', '-e', '-F', file('System.map'), '-b', world.root, WORLD_RELEASE]).stderr),
  );
  t.deepEqual(said(plan(world, { knownSymbols: symvers.symbols, checkVersions: true })), [
    'a needs unknown symbol missing',
    'b disagrees about version of symbol a_fn',
    'b disagrees about version of symbol vfs',
  ]);
});

test('a whole Debian kernel is indexed byte for byte as by its own depmod', async t => {
  const tree = await debianTree(t);
  if (!tree) return;
  const config = readDepmodConfig({ dirs: [], release: tree.release });
  const ours = planDepmod({ dir: tree.dir, config, unpackers: decompressors() });
  t.true(ours.modules.length > 3000);
  t.deepEqual(ours.problems, []);
  for (const name of FILES) {
    const output = ours.outputs.find(candidate => candidate.name === name);
    t.true(output?.bytes.equals(readFileSync(path.join(tree.dir, name))), name);
  }
});
