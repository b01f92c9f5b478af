import path from 'node:path';
import test from 'ava';
import { debianTree } from '../support/debian-tree.ts';
import { jsonLines, usher } from '../support/usher.ts';

const demo = path.resolve(import.meta.dirname, '../../contrib/demo/root');
const onDemo = ['--root', demo, '--kernel', '6.1.0-demo'] as const;

interface Explained {
  readonly candidates: readonly {
    readonly module: string;
    readonly match: { readonly pattern: string; readonly place: { readonly file: string; readonly line?: number } };
  }[];
  readonly plans: readonly { readonly steps: readonly { readonly kind: string; readonly path?: string }[] }[];
  readonly conclusion: string;
}

test('why of a PCI modalias against a whole Debian tree names e1000e, its alias line and the plan', async t => {
  const tree = await debianTree(t);
  if (tree === undefined) return;
  const modalias = 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00';
  const [told] = jsonLines<Explained>(
    await usher('why', modalias, '--json', '--modules-root', path.dirname(tree.dir), '--kernel', tree.release),
  );
  t.deepEqual(
    told?.candidates.map(({ module, match }) => [module, match.pattern]),
    [['e1000e', 'pci:v00008086d000010D3sv*sd*bc*sc*i*']],
  );
  const place = told?.candidates[0]?.match.place;
  t.is(place?.file, path.join(tree.dir, 'modules.alias'));
  t.true((place?.line ?? 0) > 1);
  const last = told?.plans[0]?.steps.at(-1);
  t.is(last?.kind, 'insert');
  t.is(last?.path, path.join(tree.dir, 'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko'));
});

test('the release folder itself and the folder above it are the same modules root', async t => {
  const above = await usher(
    'why',
    'platform:pcspkr',
    '--modules-root',
    path.join(demo, 'lib/modules'),
    '--kernel',
    '6.1.0-demo',
    '--config-root',
    path.join(demo, 'etc'),
  );
  const itself = await usher(
    'why',
    'platform:pcspkr',
    '--modules-root',
    path.join(demo, 'lib/modules/6.1.0-demo'),
    '--config-root',
    path.join(demo, 'etc'),
  );
  t.is(itself.stdout, above.stdout);
  t.regex(above.stdout, /denied: pcspkr may not load/);
});

test('why of a module tells its file, what it needs, what is configured and what would be done', async t => {
  const { stdout, status } = await usher('why', 'usb-storage', ...onDemo);
  t.is(status, 0);
  t.is(
    stdout.replaceAll(demo, ''),
    `usb_storage (module)
├─ file /lib/modules/6.1.0-demo/kernel/drivers/usb/storage/usb-storage.ko
├─ not loaded
├─ needs scsi_mod usbcore scsi_common usb_common
├─ no device that is there names it
├─ configuration
│  └─ options usb_storage delay_use=2  /etc/modprobe.d/demo.conf:6
├─ asked for by a device: abstain
└─ plan
   ├─ 1. insert usb_common (dependency of usb_storage)
   ├─ 2. insert scsi_common (dependency of usb_storage)
   ├─ 3. insert usbcore (dependency of usb_storage)
   ├─ 4. insert scsi_mod (dependency of usb_storage)
   └─ 5. insert usb_storage delay_use=2 from /etc/modprobe.d/demo.conf:6 (the module asked for)
`,
  );
});

test('a word that means nothing is refused with all that was looked through', async t => {
  const { stderr, status } = await usher('why', 'nosuchthing', ...onDemo);
  t.is(status, 1);
  t.is(
    stderr.replaceAll(demo, ''),
    `usher: "nosuchthing" is no device in /sys, no module in /lib/modules/6.1.0-demo nor in modprobe's configuration, and has not the form of a modalias (pci:v…)
  usher devices lists what there is
`,
  );
  const [told] = jsonLines<{ error: { code: string } }>(await usher('why', 'nosuchthing', '--json', ...onDemo));
  t.is(told?.error.code, 'NOT_FOUND');
});

test('a modalias that no kernel writes is not looked up', async t => {
  const { stderr, status } = await usher('why', `pci:${'v'.repeat(3000)}`, ...onDemo);
  t.is(status, 2);
  t.regex(stderr, /is not looked up as a modalias: it has 3004 bytes, at most 2048 are looked up/);
});
