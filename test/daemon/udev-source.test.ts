import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const missing =
  whyNoRealUevents() ?? (existsSync('/lib/systemd/systemd-udevd') ? undefined : 'systemd-udevd is not installed');

testUnless(missing)('beside a real systemd-udevd the daemon takes events from it, with its properties', t => {
  const sandbox = path.resolve(import.meta.dirname, '../support/sandbox.sh');
  const script = path.join(import.meta.dirname, 'in-sandbox.ts');
  const { stdout, stderr, status } = spawnSync('bash', [sandbox, '-', process.execPath, script], { encoding: 'utf8' });
  t.is(status, 0, stderr);
  // The event was sent on by one of udevd's workers.
  const { origin, ...told } = JSON.parse(stdout) as { origin: { kind: string; pid: number } };
  t.is(origin.kind, 'udev');
  t.true(origin.pid > 1);
  t.deepEqual(told, { source: 'udev', devpath: '/devices/virtual/mem/null', hasUdevProperty: true });
});
