import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Daemon } from '../../core/daemon/daemon.ts';
import { DEFAULT_SETTINGS } from '../../core/daemon/settings.ts';
import { systemRoot } from '../../core/kernel/system-root.ts';
import { walkSysfs } from '../../core/kernel/sysfs.ts';
import { deviceOf } from '../../core/pipeline/2-device/read-device.ts';
import { History } from '../../core/pipeline/7-ledger/history.ts';
import type { Device } from '../../core/pipeline/2-device/device.ts';
import { whyNoRealUevents } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const real = testUnless(whyNoRealUevents());

/** The smallest buffer the kernel gives: a handful of events. */
const TINY_BYTES = 4096;
const EVENTS = 5000;

function byDevpath(devices: Iterable<Device>): readonly Device[] {
  return [...devices].toSorted((a, b) => (a.devpath < b.devpath ? -1 : 1));
}

real(
  'after a real overrun the device table equals a fresh walk of /sys, and the ledger tells the loss and the resync',
  async t => {
    const stateDir = mkdtempSync(path.join(os.tmpdir(), 'usherd-resync-'));
    const roots = systemRoot({ stateDir }, { env: {}, uid: 0 });
    const daemon = new Daemon({
      roots,
      release: os.release(),
      settings: { ...DEFAULT_SETTINGS, source: 'kernel', receiveBufferBytes: TINY_BYTES },
      configured: DEFAULT_SETTINGS,
      observes: true,
      acceptInjected: false,
      problems: [],
    });
    await daemon.start();
    // Nothing was coldplugged: what the overrun swallows can only come in by the resync.
    const resynced = new Promise<void>(resolve => {
      daemon.reporter.on('notice', (_level, message) => {
        if (message.startsWith('resync:')) resolve();
      });
    });
    const devices = walkSysfs(roots);
    for (let n = 0; n < EVENTS; n += 1) writeFileSync(`/sys${devices[n % devices.length]?.devpath}/uevent`, 'change');
    await resynced;
    await daemon.queue.settled;
    t.deepEqual(byDevpath(daemon.parts.devices.devices.values()), byDevpath(walkSysfs(roots).map(deviceOf)));
    t.is(daemon.losses.overruns, 1);
    t.true(daemon.losses.lostEvents > 1000n);
    await daemon.stop('the test is over');
    const history = History.open(path.join(stateDir, 'ledger.sqlite'));
    const kinds = new Set(history.incidents().map(({ incident }) => incident.kind));
    history.close();
    t.true(kinds.has('overrun'));
    t.true(kinds.has('resync'));
  },
);
