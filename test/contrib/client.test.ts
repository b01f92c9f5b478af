import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isServable } from '../../core/cli/answers/servable.ts';
import { makeWorld, WORLD_RELEASE } from '../support/module-world.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { startDaemon, type Ran, type RunningDaemon } from '../support/usher.ts';

const dist = path.resolve(import.meta.dirname, '../../dist');
const real = testUnless(whyNoRealUevents());

function run(program: string, words: readonly string[], { cwd = '/', env = {} } = {}): Promise<Ran> {
  return new Promise(resolve => {
    const options = { cwd, env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', ...env }, maxBuffer: 1 << 26 };
    execFile(program, words, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ status, stdout, stderr });
    });
  });
}

/** A daemon that answers, and how many questions it has answered by itself. */
async function answering(t: ExecutionContext): Promise<RunningDaemon> {
  const daemon = await startDaemon(['--observe', '--source', 'kernel', '--no-coldplug']);
  t.teardown(() => daemon.kill());
  chmodSync(daemon.stateDir, 0o755);
  return daemon;
}

real('what the daemon answers is byte for byte what the command prints itself, with the same status', async t => {
  const { root } = makeWorld(t, {
    files: {
      [`lib/modules/${WORLD_RELEASE}/modules.dep`]: 'kernel/usb-storage.ko: kernel/scsi.ko\nkernel/scsi.ko:\n',
      [`lib/modules/${WORLD_RELEASE}/modules.alias`]: 'alias usb:v*ic08* usb_storage\nalias fs-größe scsi\n',
      'etc/modprobe.d/x.conf': 'options usb_storage quirks=x\nnonsense here\n',
    },
  });
  const { stateDir } = await answering(t);
  const place = ['-d', root, '-S', WORLD_RELEASE];
  const roots = ['--root', root, '--kernel', WORLD_RELEASE];
  const where = ['--state-dir', stateDir];
  const lines: readonly (readonly string[])[] = [
    ['lsmod', ...where],
    ['lsmod', '--help', ...where],
    ['modinfo', ...where],
    ['modinfo', '-b', root, '-k', WORLD_RELEASE, 'usb-storage', 'none', ...where],
    ['modprobe', ...place, '-R', 'usb:v1ic08x', ...where],
    ['modprobe', ...place, '-R', 'fs-größe', ...where],
    ['modprobe', ...place, '-D', 'usb_storage', ...where],
    ['modprobe', ...place, '-n', '-v', 'none', ...where],
    ['modprobe', ...place, '-C', `${root}/etc/modprobe.d`, '-c', ...where],
    ['modprobe', '--nonsense', '-R', 'x', ...where],
    ['why', 'usb:v1ic08x', ...roots, ...where],
    ['why', 'nothing-of-the-kind', ...roots, ...where],
    ['devices', '--json', ...where],
    ['why', '--help', ...where],
    ['history', '-n', '20', '--json', ...where],
    ['history', '--incidents', '--limit', '5', ...where],
    ['history', '-n', '0', ...where],
    ['pending', ...where],
    ['plugin', 'list', ...where],
    ['settle', ...where],
    ['settle', '--nonsense', ...where],
  ];
  for (const words of lines) {
    const [asked, alone] = await Promise.all([
      run(path.join(dist, 'usher-client'), words),
      run(path.join(dist, 'usher'), words),
    ]);
    t.deepEqual(asked, alone, words.join(' '));
  }
});

real('it leaves to usher what it may not answer, and everything when there is no daemon', async t => {
  const { root } = makeWorld(t, {
    files: { [`lib/modules/${WORLD_RELEASE}/modules.dep`]: 'a.ko:\n', 'a.ko': 'no module' },
  });
  const { stateDir } = await answering(t);
  for (const words of [
    ['modinfo', 'a.ko'],
    ['modinfo', './a.ko', '--state-dir', stateDir],
    ['history', '--state-dir', stateDir],
    ['modinfo', 'a', '--state-dir', path.join(root, 'nowhere')],
  ]) {
    const [asked, alone] = await Promise.all([
      run(path.join(dist, 'usher-client'), words, { cwd: root }),
      run(path.join(dist, 'usher'), words, { cwd: root }),
    ]);
    t.deepEqual(asked, alone, words.join(' '));
  }
});

const served = test.macro({
  exec: async (t, isServed: boolean, words: string, asked: { uid?: number; env?: Record<string, string> } = {}) => {
    const command = { words: words.split(' '), env: asked.env ?? {}, uid: asked.uid ?? 0 };
    t.is(await isServable(command, 0), isServed);
  },
  title: (_, isServed, words: string, asked?: object) =>
    `${words}${asked === undefined ? '' : ` with ${JSON.stringify(asked)}`} is ${isServed ? 'answered' : 'left to usher'}`,
});

test(served, true, 'pending --json');
test(served, true, 'plugin list');
test(served, false, 'plugin restart blacklist');
test(served, true, 'settle -t 5');
test(served, false, 'settle', { uid: 1000 });
test(served, true, 'history -n 20 --json -d /devices/x');
test(served, true, 'history --incidents --limit 20');
test(served, false, 'history -n 20', { uid: 1000 });
test(served, false, 'history');
test(served, false, 'history -n 1000000');
test(served, false, 'history -n 20 -n 1000000');
test(served, false, 'history -n 20 --limit=1000000');
test(served, false, 'history -n 20 --follow');
test(served, false, 'history -n 20 -rf');
test(served, false, 'history export -n 20 -o x');
test(served, false, 'history -n 20 export -o x');
test(served, false, 'history -n 20 prune --yes');
test(served, true, 'lsmod');
test(served, true, 'modinfo e1000e', { uid: 1000 });
test(served, true, 'modinfo /lib/modules/x/a.ko');
test(served, false, 'modinfo /lib/modules/x/a.ko', { uid: 1000 });
test(served, false, 'modinfo a.ko');
test(served, false, 'modinfo ./a');
test(served, true, 'modprobe -R pci:x', { uid: 1000 });
test(served, false, 'modprobe -R pci:x', { uid: 1000, env: { MODPROBE_OPTIONS: '-C /root/secret' } });
test(served, false, 'modprobe -c', { uid: 1000 });
test(served, false, 'modprobe -D usb_storage', { uid: 1000 });
test(served, true, 'modprobe -c');
test(served, false, 'modprobe -R pci:x', { env: { MODPROBE_OPTIONS: '-d here' } });
test(served, true, 'modprobe x', { env: { MODPROBE_OPTIONS: '-D' } });
test(served, false, 'modprobe -d here -R pci:x');
test(served, false, 'modprobe --root=here -R pci:x');
test(served, false, 'modprobe usb_storage');
test(served, false, 'modprobe -r usb_storage');
test(served, false, 'modprobe -r -R usb_storage');
test(served, false, 'modprobe -R usb_storage --remove', { uid: 1000 });
test(served, false, 'modprobe -R usb_storage', { uid: 1000, env: { MODPROBE_OPTIONS: '-r' } });
test(served, false, 'modprobe -n --override-policy because usb_storage');
test(served, false, 'modprobe -R x -c', { uid: 1000 });
test(served, true, 'modprobe -a -q -R pci:x usb:y');
test(served, false, 'modprobe -s -R x');
test(served, false, 'insmod /a.ko');
test(served, false, 'rmmod a');
test(served, false, 'depmod -n');
test(served, true, 'why 1-2');
test(served, false, 'why 1-2', { uid: 1000 });
test(served, false, 'why 1-2 --root here');
test(served, false, 'status', { env: { TZ: 'Mars/Olympus' } });
test(served, false, 'daemon');
test(served, false, 'forbid dccp');
test(served, false, 'monitor');
