import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { WORLD_RELEASE, makeWorld } from '../support/module-world.ts';
import { jsonLines, startDaemon, usher, type RunningDaemon } from '../support/usher.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const real = testUnless(whyNoRealUevents());

/** A module tree and a configuration of our own, and a sysfs with one stick in it, for a daemon that only observes. */
function makeStickWorld(t: ExecutionContext, settings = ''): readonly string[] {
  const { root } = makeWorld(t, {
    files: {
      [`lib/modules/${WORLD_RELEASE}/modules.dep`]: 'usb-storage.ko: scsi.ko\nscsi.ko:\nrare.ko:\n',
      [`lib/modules/${WORLD_RELEASE}/modules.alias`]:
        'alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage\nalias fs-rare rare\n',
      'etc/usherd/usherd.toml': settings,
      'sys/devices/usb1/1-1/1-1:1.0/uevent': `SUBSYSTEM=usb\nDEVTYPE=usb_interface\nMODALIAS=${STICK}\n`,
      'sys/devices/usb1/1-1/1-1:1.0/bInterfaceNumber': '00\n',
      'sys/devices/usb1/1-1/1-1:1.0/modalias': `${STICK}\n`,
      'sys/devices/usb1/1-1/descriptors': 'one',
    },
  });
  mkdirSync(path.join(root, 'sys/bus/usb'), { recursive: true });
  writeFileSync(path.join(root, 'sys/bus/usb/drivers_probe'), '');
  const modules = path.join(root, 'lib/modules');
  return `--sys-root ${root}/sys --config-root ${root}/etc --modules-root ${modules} --kernel ${WORLD_RELEASE}`.split(
    ' ',
  );
}

const STICK = 'usb:v0781p5567d0100dc00dsc00dp00ic08isc06ip50in00';

/** A daemon that goes with the test, however that ends. */
async function start(t: ExecutionContext, words: readonly string[], stateDir?: string): Promise<RunningDaemon> {
  const daemon = await startDaemon(['--source', 'kernel', ...words], stateDir);
  t.teardown(() => daemon.kill());
  return daemon;
}

interface Pending {
  readonly id: number;
  readonly modules: readonly string[];
  readonly reasons: readonly string[];
  readonly seen: { readonly devpath: string };
}

async function pendingOf({ stateDir }: RunningDaemon): Promise<readonly Pending[]> {
  await usher('settle', '--state-dir', stateDir);
  return jsonLines<Pending>(await usher('pending', '--json', '--state-dir', stateDir));
}

const HOLD = '[policy]\nhold = ["usb:*ic08*"]\n';

real('a held device waits, survives a restart as the same question, and has its plan once it is approved', async t => {
  const words = makeStickWorld(t, HOLD);
  const first = await start(t, words);
  const [item] = await pendingOf(first);
  t.like(item, {
    modules: ['usb_storage'],
    reasons: ['usb_storage: usherd.toml: hold has "usb:*ic08*": it waits for an answer'],
  });
  await first.stop();
  t.deepEqual(await pendingOf(first), item === undefined ? [] : [item]);
  const second = await start(t, words, first.stateDir);
  t.deepEqual(await pendingOf(second), item === undefined ? [] : [item]);
  const where = ['--state-dir', second.stateDir];
  const [approved] = jsonLines<object>(await usher('approve', String(item?.id), '--this-port', '--json', ...where));
  t.like(approved, { devpath: '/devices/usb1/1-1/1-1:1.0', verdict: 'allow', scope: 'this-port', result: 'observed' });
  t.deepEqual(await pendingOf(second), []);
  t.is((await usher('approve', String(item?.id), ...where)).status, 1);
  await second.stop();
  const third = await start(t, words, first.stateDir);
  t.deepEqual(await pendingOf(third), []);
  await third.stop();
  const requests = jsonLines<{ asker: string; asked: string; result: string }>(
    await usher('history', '--requests', '--json', ...where),
  );
  t.deepEqual(
    requests.map(({ asker, asked, result }) => [asker, asked, result]),
    [['approval', STICK, 'observed']],
  );
});

real('what is approved must be what was seen: other descriptors in the same place are refused', async t => {
  const words = makeStickWorld(t, HOLD);
  const daemon = await start(t, words);
  const [item] = await pendingOf(daemon);
  writeFileSync(path.join(words[1] ?? '', 'devices/usb1/1-1/descriptors'), 'two');
  const ran = await usher('approve', String(item?.id), '--state-dir', daemon.stateDir);
  t.is(ran.status, 13);
  t.regex(ran.stderr, /its descriptors was [0-9a-f]{64} and is [0-9a-f]{64}/);
  t.deepEqual(await pendingOf(daemon), []);
  await daemon.stop();
});

real('a device that is denied for good is not asked about again', async t => {
  const words = makeStickWorld(t, HOLD);
  const first = await start(t, words);
  const [item] = await pendingOf(first);
  t.is((await usher('deny', String(item?.id), '--always', '--state-dir', first.stateDir)).status, 0);
  await first.stop();
  const second = await start(t, words, first.stateDir);
  t.deepEqual(await pendingOf(second), []);
  const [entry] = jsonLines<{ result: string; outcomes: readonly { reason: string }[] }>(
    await usher('history', '--json', '-m', 'usb_storage', '-n', '1', '--state-dir', first.stateDir),
  );
  t.is(entry?.result, 'denied');
  t.is(entry?.outcomes[0]?.reason, 'usb_storage is denied by administrator: denied for good by user 0');
  await second.stop();
});

real(
  'the running daemon takes a forbid at once, and a change by hand too; a damaged file leaves what was decided',
  async t => {
    const words = makeStickWorld(t);
    const daemon = await start(t, words);
    const where = ['--state-dir', daemon.stateDir, ...words];
    t.is((await usher('forbid', 'scsi', '--reason', 'x', ...where)).status, 0);
    const verdicts = async (): Promise<readonly string[]> => {
      const requests = jsonLines<{ outcomes: readonly { kind: string }[] }>(
        await usher('history', '--requests', '--json', ...where),
      );
      return requests.at(-1)?.outcomes.map(({ kind }) => kind) ?? [];
    };
    const ask = (alias: string): unknown => askForModule(daemon.stateDir, alias);
    t.like(ask('usb_storage'), { status: 1, reason: 'scsi is denied by administrator: forbidden by user 0: x' });
    t.deepEqual(await verdicts(), ['skipped', 'skipped']);
    const file = path.join(daemon.stateDir, 'decisions.toml');
    const noted = async (text: string): Promise<void> => {
      while (!daemon.printed.some(line => line.includes(text))) await new Promise(resolve => setTimeout(resolve, 20));
    };
    writeFileSync(file, '[[forbid]]\nmodule = "rare"\n');
    await noted('was changed and is read again');
    t.like(ask('usb_storage'), { status: 0 });
    t.like(ask('fs-rare'), { status: 1, reason: 'rare is denied by administrator: forbidden by user 0' });
    writeFileSync(file, '[[forbid]]\nmodule = "rare\n');
    await noted('is damaged: the decisions from before it count on');
    t.like(ask('fs-rare'), { status: 1 });
    t.like(ask('no-such-alias'), { status: 1 });
    t.regex(readFileSync(path.join(daemon.stateDir, 'request-answers'), 'utf8'), /^deny rare$/m);
    await daemon.stop();
    const told = jsonLines<{ incident: { kind: string; before?: string; hash?: string; changes?: unknown } }>(
      await usher('history', '--incidents', '--json', ...where),
    );
    const policy = told.map(({ incident }) => incident).filter(({ kind }) => kind.startsWith('policy'));
    t.deepEqual(
      policy.map(({ kind, changes }) => [kind, changes]),
      [
        ['policy-changed', undefined],
        ['policy-edited', ['-forbid scsi: x', '+forbid rare']],
      ],
    );
    t.is(policy[1]?.before, policy[0]?.hash);
  },
);

/** Asks as the kernel's helper does, over the daemon's socket, in plain JSON lines. */
function askForModule(stateDir: string, alias: string): unknown {
  const script = `
    const socket = require('node:net').connect(process.argv[1]);
    socket.write(JSON.stringify({ usherd: 1, verb: 'request-module', params: { alias: process.argv[2] } }) + '\\n');
    socket.pipe(process.stdout);`;
  const answer = execFileSync(process.execPath, ['-e', script, path.join(stateDir, 'socket'), alias], {
    encoding: 'utf8',
  });
  const items = answer
    .split('\n')
    .flatMap(line => (line.startsWith('{"item"') ? [JSON.parse(line) as { item: unknown }] : []));
  return items[0]?.item;
}

real('with deny-unmatched a device has its drivers, and what the kernel asks for by itself is denied', async t => {
  const words = makeStickWorld(t, '[policy]\ndefault = "deny-unmatched"\n');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-test-'));
  const daemon = await start(t, words, dir);
  await usher('settle', '--state-dir', dir);
  t.like(askForModule(dir, 'fs-rare'), {
    status: 1,
    reason:
      'rare is denied by usherd.toml: default is "deny-unmatched": no device asks for it, the kernel does by "fs-rare"',
  });
  const [entry] = jsonLines<{ result: string }>(
    await usher('history', '--json', '-m', 'usb_storage', '--state-dir', dir),
  );
  t.is(entry?.result, 'observed');
  await daemon.stop();
});
