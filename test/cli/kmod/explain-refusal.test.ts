import { appendFileSync } from 'node:fs';
import os from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { explainRefusal } from '../../../core/cli/kmod/explain-refusal.ts';
import { systemRoot, type SystemRoot } from '../../../core/kernel/system-root.ts';
import { ModuleTree } from '../../../core/kmod/module-tree.ts';
import { refusalMeaning } from '../../../core/pipeline/6-load/errno-meaning.ts';
import { readModuleRestrictions } from '../../../core/kernel/restrictions.ts';
import type { ErrnoName } from '../../../core/vocabulary/errno.ts';
import { appendSignature, writeKo } from '../../support/ko-writer.ts';
import { makeWorld } from '../../support/module-world.ts';
import { runOurs } from '../../support/run-tool.ts';

const RELEASE = os.release();
const VERMAGIC = ['vermagic', `${RELEASE} SMP mod_unload `] as const;

interface Place {
  readonly roots: SystemRoot;
  readonly tree: ModuleTree;
  readonly dir: string;
  readonly root: string;
}

/** A kernel of this machine's release with one module loaded, and modules that do not fit it. */
async function place(t: ExecutionContext, files: Readonly<Record<string, string>> = {}): Promise<Place> {
  const at = `lib/modules/${RELEASE}`;
  const ko = (spec: Parameters<typeof writeKo>[0]): Buffer =>
    writeKo({ ...spec, modinfo: [VERMAGIC, ['intree', 'Y']] });
  const { root } = makeWorld(t, {
    files: {
      [`${at}/kernel/giver.ko`]: ko({ exports: [['given', 1]] }),
      [`${at}/kernel/taker.ko`]: writeKo({
        needs: ['given', 'never_was', 'printk'],
        modinfo: [VERMAGIC, ['depends', 'giver']],
      }),
      [`${at}/kernel/other.ko`]: writeKo({ modinfo: [['vermagic', '5.0.0-old SMP ']] }),
      [`${at}/kernel/signed.ko`]: appendSignature(ko({}), Buffer.from('nobody')),
      [`${at}/kernel/plain.ko`]: writeKo({ modinfo: [VERMAGIC, ['parmtype', 'level:int'], ['parmtype', 'on:bool']] }),
      'proc/modules': '',
      'sys/module/signed/initstate': 'live\n',
      'proc/kallsyms': '0 T printk\n0 r __ksymtab_printk\n',
      'sys/module/module/parameters/sig_enforce': 'N\n',
      ...files,
    },
  });
  await runOurs('depmod', ['-b', root, RELEASE]);
  const dir = `${root}/${at}`;
  return { root, dir, tree: ModuleTree.open(dir), roots: systemRoot({ root }, { env: {}, uid: 0 }) };
}

function said({ roots, tree, dir }: Place, name: string, errno: ErrnoName): readonly string[] {
  return [
    refusalMeaning(errno, readModuleRestrictions(roots)),
    ...explainRefusal(`${dir}/kernel/${name}.ko`, errno, { roots, tree }),
  ];
}

test('of an unknown symbol it is said which, and which module has it', async t => {
  const here = await place(t);
  t.deepEqual(said(here, 'taker', 'ENOENT').slice(1), [
    'it needs giver, which is not there',
    'the kernel has no symbol given, never_was: load giver first',
  ]);
});

test('of another vermagic it is said how the two differ', async t => {
  const here = await place(t);
  t.deepEqual(said(here, 'other', 'ENOEXEC').slice(1), [
    `it was built for "5.0.0-old SMP", this kernel is "${RELEASE} SMP mod_unload"`,
  ]);
});

for (const [what, files, errno, expected] of [
  [
    'sig_enforce',
    { 'sys/module/module/parameters/sig_enforce': 'Y\n' },
    'EKEYREJECTED',
    /^module\.sig_enforce is on and .*\|it has no signature, and module\.sig_enforce is on$/,
  ],
  [
    'lockdown',
    { 'sys/kernel/security/lockdown': 'none [integrity] confidentiality\n' },
    'EPERM',
    /^the kernel is locked down \(integrity\).*\|it has no signature, and the kernel is locked down \(integrity\)$/,
  ],
  [
    'modules_disabled',
    { 'proc/sys/kernel/modules_disabled': '1\n' },
    'EPERM',
    /^kernel\.modules_disabled is 1.*\|kernel\.modules_disabled is 1: nothing loads until the next boot$/,
  ],
] as const) {
  test(`a module that ${what} keeps out is told so`, async t => {
    const here = await place(t, files);
    t.regex(said(here, 'plain', errno).join('|'), expected);
  });
}

test('a signature the kernel has no key for is named', async t => {
  const here = await place(t, { 'sys/module/module/parameters/sig_enforce': 'Y\n' });
  t.deepEqual(said(here, 'signed', 'ENOKEY'), [
    'it is signed by a key the kernel does not have',
    'it is signed, and module.sig_enforce is on: the kernel must have that key',
  ]);
});

test('a parameter a module does not have, or of another type, is said before the kernel is asked', async t => {
  const { root, dir } = await place(t);
  const lines = [
    'plain: it has no parameter "levle", which the kernel passes over; it has level, on',
    'plain: its parameter level: found "high", wanted a whole number (int)',
  ];
  const words = ['levle=1', 'level=high', 'on'];
  const insmod = await runOurs('insmod', ['--root', root, `${dir}/kernel/plain.ko`, ...words]);
  t.deepEqual(
    insmod.stderr.split('\n').slice(0, 2),
    lines.map(line => `insmod: ${line}`),
  );
  const conf = `${root}/mine.conf`;
  appendFileSync(conf, 'options plain level=high\n');
  const modprobe = await runOurs('modprobe', ['--root', root, '-C', conf, 'plain', 'levle=1']);
  t.deepEqual(modprobe.stderr.split('\n').slice(0, 2), [`modprobe: ${lines[1]} (${conf}:1)`, `modprobe: ${lines[0]}`]);
  const why = await runOurs('modprobe', ['--root', root, '-C', conf, '--why', 'plain']);
  t.regex(why.stdout, /refusal: its parameter level: found "high"/);
});

test('of a module in use it is said which modules hold it, and how many others do', async t => {
  const { root } = await place(t, {
    'sys/module/busy/initstate': 'live\n',
    'sys/module/busy/refcnt': '3\n',
    'sys/module/busy/holders/user/x': '',
  });
  const { stderr } = await runOurs('rmmod', ['--root', root, 'busy']);
  t.is(
    stderr,
    'rmmod: ERROR: Module busy is in use by: user\nrmmod: busy is held by the module user, and by 2 other users: open devices, mounts, sockets\n',
  );
});
