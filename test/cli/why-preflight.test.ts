import os from 'node:os';
import test from 'ava';
import { appendSignature, writeKo } from '../support/ko-writer.ts';
import { makeWorld } from '../support/module-world.ts';
import { runOurs } from '../support/run-tool.ts';
import { jsonLines, usher } from '../support/usher.ts';

const RELEASE = os.release();

test('a plan says beforehand what the running kernel will make of it, and of one for another kernel nothing', async t => {
  const vermagic = ['vermagic', `${RELEASE} SMP mod_unload `] as const;
  const own = [['license', 'GPL'], ['intree', 'Y'], vermagic] as const;
  const at = `lib/modules/${RELEASE}/kernel`;
  const { root } = makeWorld(t, {
    files: {
      [`${at}/fits.ko`]: appendSignature(writeKo({ modinfo: own, exports: [['fits_fn', 1]] }), Buffer.from('nobody')),
      [`${at}/strange.ko`]: writeKo({
        modinfo: [
          ['license', 'Proprietary'],
          ['alias', 'usb:v1234*'],
          ['firmware', 'strange.bin'],
          ['vermagic', '5.0.0-old SMP '],
          ['parmtype', 'level:int'],
        ],
        needs: ['fits_fn'],
      }),
      'etc/modprobe.d/a.conf': 'options strange level=high\n',
      'proc/modules': '',
      'sys/module/module/parameters/sig_enforce': 'Y\n',
    },
  });
  await runOurs('depmod', ['-b', root, RELEASE]);
  const findings = [
    'refusal: it has no signature, and module.sig_enforce is on',
    `refusal: it was built for "5.0.0-old SMP", this kernel is "${RELEASE} SMP mod_unload"`,
    'refusal: its parameter level: found "high", wanted a whole number (int)',
    'warning: 1 of the 1 firmware files it names are absent: strange.bin',
    'note: it taints the kernel until the next boot, also when it then fails to load: P, its licence is "Proprietary"; O, it was built outside the kernel tree; E, it has no signature',
  ];
  for (const subject of ['strange', 'usb:v1234p0']) {
    const { stdout } = await usher('why', subject, '--root', root);
    const lines = stdout.split('\n').map(line => line.replace(/^[ │├└─]+/u, ''));
    const from = lines.findIndex(line => line.startsWith('2. insert strange'));
    t.deepEqual(
      lines.slice(from - 1, from + 6).map(line => line.replace(/^(2\. insert strange level=high) from .*/, '$1')),
      [
        'note: it is signed, and module.sig_enforce is on: the kernel must have that key',
        '2. insert strange level=high',
        ...findings,
      ],
    );
    const [told] = jsonLines<{ findings: Readonly<Record<string, readonly { severity: string; message: string }[]>> }>(
      await usher('why', subject, '--json', '--root', root),
    );
    t.deepEqual(
      told?.findings['strange']?.map(({ severity, message }) => `${severity}: ${message}`),
      findings,
    );
  }
  const other = await usher('why', 'strange', '--root', root, '--kernel', '9.9.9');
  t.notRegex(other.stdout, /refusal|taints/);
});
