import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { chooseSource } from '../../../core/pipeline/1-intake/source-choice.ts';
import { whyNoProgram } from '../../support/machine.ts';
import { testUnless } from '../../support/skip-aloud.ts';

function runFolder(t: ExecutionContext): { run: string; control: string } {
  const run = mkdtempSync(path.join(tmpdir(), 'usherd-run-'));
  t.teardown(() => rmSync(run, { recursive: true }));
  mkdirSync(path.join(run, 'udev'));
  return { run, control: path.join(run, 'udev/control') };
}

test('a named source is taken as it is', async t => {
  t.deepEqual(await chooseSource('udev', { run: '/nonexistent' }), { group: 'udev', why: 'the configuration says so' });
  t.deepEqual(await chooseSource('kernel', { run: '/nonexistent' }), {
    group: 'kernel',
    why: 'the configuration says so',
  });
});

test('without a udevd, or with only the leavings of one, the kernel is listened to', async t => {
  const { run, control } = runFolder(t);
  t.deepEqual(await chooseSource('auto', { run }), { group: 'kernel', why: `no udevd answers at ${control} (ENOENT)` });
  writeFileSync(control, '');
  t.deepEqual(await chooseSource('auto', { run }), {
    group: 'kernel',
    why: `no udevd answers at ${control} (ECONNREFUSED)`,
  });
});

test('where somebody answers at the control socket, udev is listened to', async t => {
  const { run, control } = runFolder(t);
  const server = createServer(socket => socket.destroy());
  server.listen(control);
  await once(server, 'listening');
  t.deepEqual(await chooseSource('auto', { run }), { group: 'udev', why: `udevd answers at ${control}` });
  server.close();
});

const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1]); s.listen(); print('listening', flush=True); sys.stdin.read()
`;

testUnless(whyNoProgram('python3'))('a control socket of the kind udevd has is recognised', async t => {
  const { run, control } = runFolder(t);
  const listener = spawn('python3', ['-c', LISTENER, control], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(listener.stdout, 'data');
  t.deepEqual(await chooseSource('auto', { run }), { group: 'udev', why: `udevd answers at ${control}` });
  listener.stdin.end();
  await once(listener, 'close');
  t.is((await chooseSource('auto', { run })).group, 'kernel');
});
