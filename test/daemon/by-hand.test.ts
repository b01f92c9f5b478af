import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { BY_HAND_MAX_CHARS, BY_HAND_MAX_ITEMS, byHandIncident } from '../../core/daemon/note-by-hand.ts';
import { UsherdError } from '../../core/errors.ts';
import { makeFakeKernel } from '../support/fake-kernel.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { makeWorld, WORLD_RELEASE } from '../support/module-world.ts';
import { runOurs } from '../support/run-tool.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { jsonLines, startDaemon, usher, type RunningDaemon } from '../support/usher.ts';

interface Told {
  readonly incident: {
    readonly kind: string;
    readonly uid: number;
    readonly pid: number;
    readonly loginUid?: number;
    readonly failed?: readonly { readonly module: string; readonly reason: string }[];
  };
}

const ROOTS = ['proc-root', 'sys-root'];

/** A made-up kernel with two modules, their tree, and a daemon to tell of what is done to it. */
async function stage(
  t: ExecutionContext,
): Promise<{ readonly daemon: RunningDaemon; readonly run: (...words: readonly string[]) => Promise<number> }> {
  const { root, modprobeDir } = makeWorld(t, {
    modules: { 'kernel/usherd-made.ko': {}, 'kernel/usherd-open.ko': {}, 'kernel/usherd-ran.ko': {} },
    files: {
      'etc/modprobe.d/a.conf': 'install usherd-ran /bin/true\n',
      'sys/module/usherd_open/parameters/level': '1\n',
    },
  });
  makeFakeKernel(root, [{ name: 'usherd_open', refcnt: 2 }]);
  await usher('depmod', '-b', root, WORLD_RELEASE);
  const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug']);
  const place = ['--state-dir', daemon.stateDir, ...ROOTS.map(name => `--${name}=${root}/${name.slice(0, -5)}`)];
  const tree = ['-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE];
  return {
    daemon,
    run: async (tool = '', ...words) => {
      const own = tool === 'modprobe' ? tree : tool === 'param' ? ['--modules-root', `${root}/lib/modules`] : [];
      const typed = words.map(word => word.replace('ROOT', root));
      return (await usher(tool, ...typed, ...own, ...place)).status;
    },
  };
}

const real = testUnless(whyNoRealUevents(), { isSerial: true });

real('what is done to modules by hand is on record, by whom, and what only looks is not', async t => {
  const { daemon, run } = await stage(t);
  const statuses = [
    await run('modprobe', '-n', '-v', 'usherd-made'),
    await run('modprobe', '-D', 'usherd-made'),
    await run('modprobe', '-R', 'usherd-made'),
    await run('modprobe', '--why', 'usherd-made'),
    await run('modprobe', '-r', '-n', 'usherd-open'),
    await run('modprobe', 'usherd-open'),
    await run('modprobe', 'usherd-nothing'),
    await run('modprobe', 'usherd-made'),
    await run('modprobe', 'usherd-ran'),
    await run('modprobe', '-r', 'usherd-open'),
    await run('rmmod', 'usherd-open', 'usherd_nothing'),
    await run('insmod', `ROOT/lib/modules/${WORLD_RELEASE}/kernel/usherd-made.ko`, 'a=1'),
    await run('param', 'usherd_open', 'level=7'),
  ];
  t.deepEqual(statuses, [0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0]);
  const asked = ['history', '--incidents', '--kind', 'modules-by-hand', '--state-dir', daemon.stateDir];
  const told = jsonLines<Told>(await usher(...asked, '--json'));
  const acts = told.map(({ incident: { kind, uid, pid, loginUid, failed, ...rest } }) => {
    t.true(kind === 'modules-by-hand' && uid === process.getuid?.() && pid > 1 && pid !== process.pid);
    t.true(loginUid === undefined || loginUid >= 0);
    // Why the kernel refuses a made-up module depends on the kernel.
    const failures = failed?.map(({ module, reason }) => `${module}: ${reason.replace(/^E[A-Z]+: .*/, 'its errno')}`);
    const { words, ...done } = rest as { readonly words?: readonly string[] };
    return { ...done, first: words?.[0]?.replace(/.*\//, ''), ...(failures && { failures }) };
  });
  t.deepEqual<object[], object[]>(acts, [
    { tool: 'modprobe', first: 'usherd-made', failures: ['usherd_made: its errno'] },
    { tool: 'modprobe', first: 'usherd-ran', ran: ['usherd_ran'] },
    { tool: 'modprobe', first: '-r', failures: ['usherd_open: it is in use'] },
    { tool: 'rmmod', first: 'usherd-open', failures: ['usherd_open: it is in use'] },
    { tool: 'insmod', first: 'usherd-made.ko', failures: ['usherd_made: its errno'] },
    { tool: 'param', first: 'usherd_open', set: [{ module: 'usherd_open', parameter: 'level', value: '7' }] },
  ]);
  const ofOne = await usher(...asked, '-m', 'usherd-made');
  t.is(ofOne.stdout.trim().split('\n').length, 2);
  t.regex(ofOne.stdout, /modules-by-hand tool=modprobe words=\["usherd-made",/);
  t.is(await daemon.stop(), 0);
});

real('why of a module tells what was last done to it by hand', async t => {
  const { root, modprobeDir } = makeWorld(t, {
    modules: { 'kernel/usherd-made.ko': {} },
    files: { 'etc/modprobe.d/a.conf': 'install usherd-made /bin/true\n', 'sys/module/.keep': '', 'proc/modules': '' },
  });
  await usher('depmod', '-b', root, WORLD_RELEASE);
  const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug']);
  const place = ['--state-dir', daemon.stateDir, '--sys-root', `${root}/sys`, '--proc-root', `${root}/proc`];
  await usher('modprobe', '-C', modprobeDir, '-d', root, '-S', WORLD_RELEASE, ...place, 'usherd-made', 'x=1');
  const tree = ['--kernel', WORLD_RELEASE, '--modules-root', `${root}/lib/modules`];
  const asked = ['why', 'usherd-made', ...place, ...tree];
  const { stdout } = await usher(...asked);
  t.regex(
    stdout,
    /└─ install or remove command run by hand: modprobe .* usherd-made x=1 by uid \d+ \(pid \d+\).* at \S/,
  );
  const [json] = jsonLines<{ readonly byHand: { readonly time: string } & Told }>(await usher(...asked, '--json'));
  t.is(json?.byHand.incident.kind, 'modules-by-hand');
  t.notRegex((await usher(...asked, '--now')).stdout, /by hand/);
  t.is(await daemon.stop(), 0);
});

test('a daemon that does not answer, answers nonsense or refuses keeps nobody, and nothing is said of it', async t => {
  const { root } = makeWorld(t, {});
  makeFakeKernel(root, [{ name: 'usherd_open', refcnt: 2 }]);
  const words = ['usherd_open', '--root', root, '--state-dir', root];
  const alone = await runOurs('rmmod', words);
  t.is(alone.status, 1);
  const asked: string[] = [];
  for (const answer of [
    '',
    'nonsense\n',
    '{"usherd":1,"version":"0","role":"read"}\n{"error":{"code":"DAEMON_REFUSED"}}\n',
  ]) {
    const open = new Set<Socket>();
    const server = createServer(socket => {
      open.add(socket.on('error', () => undefined));
      socket.on('data', bytes => {
        asked.push(bytes.toString());
        socket.write(answer);
      });
    });
    server.listen(`${root}/socket`);
    await once(server, 'listening');
    t.deepEqual(await runOurs('rmmod', words), alone);
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  }
  t.deepEqual(
    asked.map(text => JSON.parse(text) as object),
    Array.from({ length: 3 }, () => ({
      usherd: 1,
      verb: 'note-by-hand',
      params: { acts: { tool: 'rmmod', words, failed: [{ module: 'usherd_open', reason: 'it is in use' }] } },
    })),
  );
});

test('a note is cut to its bounds, who told it is the kernel’s word, and nonsense is refused', t => {
  const peer = { uid: 0, pid: 4, gid: 0 };
  const { root } = makeWorld(t, { files: { '4/loginuid': '1000' } });
  const many = Array.from({ length: BY_HAND_MAX_ITEMS + 5 }, (_, i) => `m-${i}`);
  const acts = {
    tool: 'modprobe',
    words: ['x'.repeat(BY_HAND_MAX_CHARS + 1), 7],
    inserted: [...many, '../etc'],
    removed: 'nothing',
    failed: [{ module: 'a', reason: 'b', more: 1 }, { module: 'a' }, 3],
    set: [{ module: 'a', parameter: 'p', value: 'v' }],
    uid: 55,
  };
  t.deepEqual(byHandIncident({ acts }, peer, root), {
    kind: 'modules-by-hand',
    tool: 'modprobe',
    words: [`${'x'.repeat(BY_HAND_MAX_CHARS)}…`],
    inserted: many.slice(0, BY_HAND_MAX_ITEMS).map(name => name.replace('-', '_')),
    set: [{ module: 'a', parameter: 'p', value: 'v' }],
    failed: [{ module: 'a', reason: 'b' }],
    uid: 0,
    pid: 4,
    loginUid: 1000,
  });
  writeFileSync(`${root}/4/loginuid`, '4294967295');
  t.false('loginUid' in byHandIncident({ acts: { tool: 'rmmod' } }, peer, root));
  for (const params of [{}, { acts: [] }, { acts: { tool: 3 } }])
    t.is(t.throws(() => byHandIncident(params, peer, root), { instanceOf: UsherdError })?.code, 'USAGE');
});
