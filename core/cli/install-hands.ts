import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { driverSettingsOf } from '../daemon/settings.ts';
import { openWorld } from '../daemon/module-world.ts';
import { openObserver } from '../daemon/observer.ts';
import { readSettings } from '../daemon/read-settings.ts';
import { withLedger } from '../daemon/with-ledger.ts';
import type { InstallHands } from '../drivers/install/install-hands.ts';
import { journalDir } from '../drivers/install/journal.ts';
import { UsherdError } from '../errors.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import { writeUeventFile } from '../kernel/uevent-file.ts';
import { parseDevpath } from '../vocabulary/devpath.ts';
import type { Outcome } from '../pipeline/6-load/outcome.ts';
import { askDaemon } from './daemon-call.ts';
import { withHistory } from './open-history.ts';
import type { Caller } from './verb.ts';

/**
 * The hands of an installation for whoever calls a verb. Only root has them: they change packages and the kernel.
 * @throws {UsherdError} NOT_PERMITTED
 */
export function installHands(caller: Caller, tell: (text: string) => void): InstallHands {
  const { roots, uid } = caller;
  if (uid !== 0) throw new UsherdError('NOT_PERMITTED', 'only root installs or removes drivers; search needs nothing');
  mkdirSync(journalDir(roots.stateDir), { recursive: true, mode: 0o750 });
  return {
    roots,
    uid,
    settings: driverSettingsOf(readSettings(roots.configDirs).settings),
    self: [process.execPath, ...process.execArgv, path.resolve(process.argv[1] ?? '')],
    openWorld: release => openWorld(roots, release),
    openMind: release => openObserver(roots, release, tell),
    record: async incident => {
      await withLedger(
        roots,
        { verb: 'driver-note', params: { incident: incident as unknown as JsonObject } },
        ledger => {
          ledger.incident(incident);
          return {};
        },
      );
    },
    daemonReprobes: devpath => reprobeByDaemon(devpath, caller),
    tell,
  };
}

/** The daemon that runs reads its indexes again, gets the device's `add` once more, and is waited for. */
async function reprobeByDaemon(device: string, caller: Caller): Promise<readonly Outcome[] | undefined> {
  if (!caller.roots.isRunningSystem) return undefined;
  const devpath = parseDevpath(device);
  try {
    let isLoading = false;
    for await (const status of askDaemon(caller, 'status')) isLoading = (status as JsonObject)['mode'] === 'load';
    for await (const _ of askDaemon(caller, 'reload'));
    if (!isLoading || devpath === undefined) return undefined;
    writeUeventFile(caller.roots, devpath, 'add');
    for await (const _ of askDaemon(caller, 'settle'));
    return await withHistory(caller, history => history.lastDecisionFor({ devpath })?.outcomes ?? []);
  } catch (error) {
    if (error instanceof UsherdError && error.code === 'DAEMON_UNREACHABLE') return undefined;
    throw error;
  }
}
