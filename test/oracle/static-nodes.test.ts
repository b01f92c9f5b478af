import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { kmodIsHere, makeWorld, skip, type KmodAnswer } from '../support/module-world.ts';
import { runOurs } from '../support/run-tool.ts';

const DEVNAME = `# Device nodes to trigger on-demand module loading.
fuse fuse c10:229
tun net/tun c10:200
snd snd/timer c116:33
loop loop-control c10:237
floppy fd0 b2:0
`;

/**
 * Debian's kmod reads below /lib/modules only: ROOT/lib is laid over it, in a mount namespace of its own. It opens /dev/stdout, which a
 * socket cannot be.
 */
function kmodOver(t: ExecutionContext, root: string, words: readonly string[]): KmodAnswer | undefined {
  const script = `mount -t overlay overlay -o "lowerdir=$0/lib:/usr/lib" /usr/lib || exit 99
    kmod "$@" > "$0/said"; status=$?; cat "$0/said"; exit $status`;
  const { stdout, stderr, status } = spawnSync('unshare', ['-rm', 'sh', '-c', script, root, ...words], {
    encoding: 'latin1',
  });
  if (status !== 99 && status !== null) return { stdout, stderr, status };
  skip(t, `an overlay cannot be mounted in a namespace: ${stderr ?? 'no unshare'}`);
  return undefined;
}

for (const format of [[], ['-f', 'human'], ['--format=tmpfiles'], ['-fdevname'], ['-f', 'nothing']]) {
  test(`kmod static-nodes ${format.join(' ')} prints what Debian’s prints`, async t => {
    if (!kmodIsHere(t)) return;
    const { root } = makeWorld(t, { files: { [`lib/modules/${os.release()}/modules.devname`]: DEVNAME } });
    const theirs = kmodOver(t, root, ['static-nodes', ...format]);
    if (theirs === undefined) return;
    const ours = await runOurs('kmod', ['static-nodes', ...format, '--root', root]);
    t.is(ours.status, theirs.status, theirs.stderr);
    // An unknown format gets the help, which is our own.
    if (theirs.status === 0) t.is(ours.stdout, theirs.stdout);
    else t.deepEqual([ours.stderr, ours.stdout !== ''], [theirs.stderr, theirs.stdout !== '']);
  });
}

test('roots that stand before the command of kmod are the command’s', async t => {
  const { root } = makeWorld(t, { files: { [`lib/modules/${os.release()}/modules.devname`]: DEVNAME } });
  const behind = await runOurs('kmod', ['static-nodes', '--root', root]);
  t.true(behind.stdout.includes('loop-control'));
  t.deepEqual(await runOurs('kmod', ['--root', root, 'static-nodes']), behind);
  t.deepEqual(await runOurs('kmod', ['--root', '/nothing', 'static-nodes', '--root', root]), behind);
});

test('kmod static-nodes writes the file it was given, and makes its folder', async t => {
  const { root } = makeWorld(t, { files: { [`lib/modules/${os.release()}/modules.devname`]: DEVNAME } });
  const file = `${root}/run/tmpfiles.d/static-nodes.conf`;
  const { stdout, status } = await runOurs('kmod', ['static-nodes', '-f', 'devname', '-o', file, '--root', root]);
  t.deepEqual([stdout, status], ['', 0]);
  t.is(readFileSync(file, 'utf8'), DEVNAME.slice(DEVNAME.indexOf('\n') + 1));
});
