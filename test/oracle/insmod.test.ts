import test from 'ava';
import { kmodIsHere, makeWorld, runKmod } from '../support/module-world.ts';
import { runOurs, sameAsKmod } from '../support/run-tool.ts';

test('insmod refuses what it cannot even read as Debian’s does', async t => {
  if (!kmodIsHere(t)) return;
  const { root } = makeWorld(t, { files: { 'empty.ko': '' } });
  for (const words of [
    [],
    ['-'],
    [`${root}/nothing.ko`],
    [`${root}/empty.ko/x`],
    ['-Z'],
    ['--bogus', 'x'],
    ['-p', `${root}/nothing.ko`],
    [''],
    ['/'],
    ['./'],
    ['--', '-'],
  ]) {
    const ours = await sameAsKmod(t, 'insmod', words);
    t.is(ours.stderr, runKmod('insmod', words).stderr.replace(/^\S*insmod: /, 'insmod: '));
  }
});

test('insmod --why says what is to be expected, and asks no kernel', async t => {
  const { root, tree } = makeWorld(t, {
    modules: {
      'mine.ko': {
        modinfo: [
          ['license', 'Proprietary'],
          ['depends', 'absent-one'],
          ['firmware', 'mine/a.bin'],
          ['firmware', 'mine/b.bin'],
          ['vermagic', '9.9.9-other SMP'],
        ],
        needs: ['printk', 'no_such_symbol'],
      },
    },
    files: {
      'proc/modules': '',
      'proc/kallsyms': '0000000000000000 T printk\n0000000000000000 r __ksymtab_printk\n',
      'sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
      'sys/module/module/parameters/sig_enforce': 'N\n',
      'lib/firmware/mine/b.bin.xz': '',
    },
  });
  const { stdout, status } = await runOurs('insmod', ['--why', '--root', root, '-f', '--json', `${tree}/mine.ko`]);
  t.is(status, 0);
  t.deepEqual(JSON.parse(stdout), {
    file: `${tree}/mine.ko`,
    findings: [
      {
        kind: 'signature',
        severity: 'refusal',
        message: 'it has no signature, and the kernel is locked down (integrity)',
      },
      { kind: 'dependency', severity: 'refusal', message: 'it needs absent_one, which is not there' },
      {
        kind: 'symbol',
        severity: 'refusal',
        message: 'the kernel has no symbol no_such_symbol: no module of the tree has them',
      },
      {
        kind: 'firmware',
        severity: 'warning',
        message: '1 of the 2 firmware files it names are absent: mine/a.bin',
      },
      {
        kind: 'taint',
        severity: 'note',
        message:
          'it taints the kernel until the next boot, also when it then fails to load: P, its licence is "Proprietary"; F, it is loaded by force; O, it was built outside the kernel tree; E, it has no signature',
      },
    ],
  });
});
