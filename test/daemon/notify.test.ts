import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { receiveDatagrams } from '../support/datagram-receiver.ts';
import { whyNoProgram } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const entry = path.resolve(import.meta.dirname, '../../core/cli/main.ts');

testUnless(whyNoProgram('python3'))('systemd is told of readiness, the watchdog, a reload and the stop', async t => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-notify-'));
  const socket = path.join(folder, 'notify');
  const receiver = await receiveDatagrams(socket);
  const { arrived } = receiver;
  const until = async (text: string): Promise<void> => {
    while (!arrived.some(message => message.includes(text))) await pause(10);
  };
  const daemon = spawn(
    process.execPath,
    [entry, 'daemon', '--observe', '--no-coldplug', '--quiet', '--state-dir', folder],
    {
      env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' },
      stdio: 'ignore',
    },
  );
  await until('READY=1');
  await until('WATCHDOG=1');
  daemon.kill('SIGHUP');
  await until('RELOADING=1');
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
  await until('STOPPING=1');
  receiver.stop();
  t.is(daemon.exitCode, 0);
  t.is(arrived[0], 'READY=1\nSTATUS=following uevents');
  t.regex(arrived.find(message => message.startsWith('RELOADING')) ?? '', /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  t.is(arrived.filter(message => message.startsWith('READY=1')).length, 2);
});
