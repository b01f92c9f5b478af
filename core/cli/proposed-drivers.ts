import { existsSync } from 'node:fs';
import { readSysfsDevice } from '../kernel/sysfs.ts';
import { parseDevpath } from '../vocabulary/devpath.ts';
import { ledgerFile, withHistory } from './open-history.ts';
import type { Caller } from './verb.ts';

/** A driver that was proposed for a device which is still there, and still without one. */
export interface ProposedDriver {
  readonly devpath: string;
  readonly modalias: string;
  readonly title: string;
  readonly reason: string;
  readonly command: string;
  readonly proposedAtMs: number;
}

/** Proposals nobody has acted on, newest first: from the record, so that they outlive a restart; each device's newest counts. */
export async function proposedDrivers(caller: Caller): Promise<readonly ProposedDriver[]> {
  if (!existsSync(ledgerFile(caller))) return [];
  const rows = await withHistory(caller, history => history.incidents({ kind: 'driver-proposed' }));
  const proposed = new Map<string, ProposedDriver>();
  for (const { incident, atMs } of rows.toSorted((a, b) => b.atMs - a.atMs)) {
    if (incident.kind !== 'driver-proposed' || proposed.has(incident.devpath)) continue;
    const { devpath: text, modalias, title, reason, command = '' } = incident;
    const devpath = parseDevpath(text);
    const device = devpath === undefined ? undefined : readSysfsDevice(caller.roots, devpath);
    if (device === undefined || device.driver !== undefined || device.modalias !== modalias) continue;
    proposed.set(text, { devpath: text, modalias, title, reason, command, proposedAtMs: atMs });
  }
  return [...proposed.values()];
}
