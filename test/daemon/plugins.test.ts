import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { History } from '../../core/pipeline/7-ledger/history.ts';
import type { PluginListing } from '../../core/plugin-host/plugin-seat.ts';
import { opiningPlugin } from '../support/plugin-world.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';
import { askDaemon, jsonLines, startDaemon, usher } from '../support/usher.ts';

const missing = process.getuid?.() === 0 ? whyNoRealUevents() : 'root is needed to give a plugin to nobody';
const real = testUnless(missing);

function makeConfig(t: ExecutionContext): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'usherd-config-')));
  chmodSync(folder, 0o755);
  mkdirSync(path.join(folder, 'usherd/plugins'), { recursive: true, mode: 0o755 });
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

real(
  'a plugin put into the folder while the daemon runs counts from then on, and is in the record with its hash',
  async t => {
    const config = makeConfig(t);
    const file = path.join(config, 'usherd/plugins/local.ts');
    const daemon = await startDaemon(['--source', 'kernel', '--observe', '--no-coldplug', '--config-root', config]);
    t.teardown(() => daemon.kill());
    const where = ['--state-dir', daemon.stateDir] as const;
    const list = async (): Promise<readonly PluginListing[]> =>
      jsonLines<PluginListing>(await usher('plugin', 'list', '--json', ...where));
    t.false((await list()).some(({ state }) => state !== 'off'));
    writeFileSync(file, opiningPlugin('local', `log.info('asked'); return deny('not today');`), { mode: 0o644 });
    const isRunning = async (): Promise<boolean> =>
      (await list()).some(({ name, state }) => name === 'local' && state === 'running');
    while (!(await isRunning())) await pause(50);
    const local = (await list()).find(({ name }) => name === 'local');
    t.like(local, { origin: 'folder', isolation: 'jail', file });
    const restarted = await usher('plugin', 'restart', 'local', ...where);
    t.deepEqual([restarted.status, restarted.stdout], [0, 'local: running\n']);
    t.is((await usher('plugin', 'restart', 'nobody', ...where)).status, 1);
    const { stdout } = await usher('plugin', 'list', ...where);
    t.regex(stdout, /^PLUGIN [^]*\nlocal +running +jail +opine +\d+ +0/m);
    t.is(await daemon.stop(), 0);
    const incidents = jsonLines<{ kind?: string; incident?: { kind: string; name?: string; hash?: string } }>(
      await usher('history', '--json', '--incidents', ...where),
    );
    t.true(JSON.stringify(incidents).includes(local?.hash ?? 'no hash'));
  },
);

real('a driver that a plugin proposes waits for an answer from the moment it is told', async t => {
  const config = makeConfig(t);
  const devpath = '/devices/pci0000:00/0000:00:05.0';
  const modalias = 'pci:v00001234d000011E8sv00001AF4sd00001100bc00scFFi00';
  const device = path.join(config, 'sys', devpath);
  mkdirSync(device, { recursive: true });
  writeFileSync(path.join(device, 'uevent'), `SUBSYSTEM=pci\nMODALIAS=${modalias}\n`);
  writeFileSync(path.join(device, 'modalias'), `${modalias}\n`);
  const proposal = { title: 'acme', reason: 'it fits', command: 'usher driver install 0000:00:05.0' };
  writeFileSync(
    path.join(config, 'usherd/plugins/local.ts'),
    `import { definePlugin } from 'usherd/plugin';
     export default definePlugin({ name: 'local', api: 1, setup: () => [
       { kind: 'nomatch', call: () => (${JSON.stringify(proposal)}) },
     ] });`,
    { mode: 0o644 },
  );
  const roots = ['--config-root', config, '--sys-root', path.join(config, 'sys')];
  const daemon = await startDaemon(['--source', 'kernel', '--observe', ...roots]);
  t.teardown(() => daemon.kill());
  while (!daemon.printed.some(line => line.includes(`${devpath}: acme: it fits`))) await pause(1);
  // As usher pending does, but for the time in which it starts.
  t.deepEqual(await askDaemon(daemon, 'pending'), []);
  const history = History.open(path.join(daemon.stateDir, 'ledger.sqlite'));
  t.is(history.incidents({ kind: 'driver-proposed' }).length, 1);
  history.close();
  const waiting = jsonLines<object>(await usher('pending', '--json', '--state-dir', daemon.stateDir, ...roots));
  t.like(waiting, { length: 1, 0: { proposed: { devpath, modalias, ...proposal } } });
});
