/**
 * Run inside test/support/sandbox.sh: a real systemd-udevd beside usherd, which is to find it by itself. Prints what the history has of
 * one triggered device.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { jsonLines, startDaemon, usher } from '../support/usher.ts';

const udevd = spawn('/lib/systemd/systemd-udevd', { stdio: 'ignore' });
process.on('exit', () => udevd.kill('SIGKILL'));
while (!existsSync('/run/udev/control') || spawnSync('udevadm', ['control', '--ping']).status !== 0) await pause(20);
const daemon = await startDaemon(['--source', 'auto', '--observe', '--no-coldplug']);
const where = ['--state-dir', daemon.stateDir] as const;
const [triggered] = jsonLines<{ uuid: string }>(
  await usher('trigger', '/devices/virtual/mem/null', '--json', ...where),
);
spawnSync('udevadm', ['settle']);
interface Entry {
  readonly event: {
    readonly synthUuid?: string;
    readonly devpath: string;
    readonly origin: object;
    readonly env: Readonly<Record<string, string>>;
  };
}
let found: Entry | undefined;
while (found === undefined) {
  await pause(50);
  await usher('settle', ...where);
  found = jsonLines<Entry>(await usher('history', '--json', ...where)).find(
    ({ event }) => event.synthUuid === triggered?.uuid,
  );
}
const [status] = jsonLines<{ source: string }>(await usher('status', '--json', ...where));
await daemon.stop();
process.stdout.write(
  `${JSON.stringify({ source: status?.source, origin: found.event.origin, devpath: found.event.devpath, hasUdevProperty: 'USEC_INITIALIZED' in found.event.env })}\n`,
);
udevd.kill();
