import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Connection } from './database.ts';
import type { Incident, IncidentKind } from './incident.ts';
import { findConnected, type ConnectedDevice } from './questions.ts';

/** Something that is otherwise than it was: a device that came, went or has another driver, the kernel, or what decides. */
export type Change =
  | { readonly kind: 'came' | 'went'; readonly devpath: Devpath; readonly modalias?: string; readonly driver?: string }
  | {
      readonly kind: 'driver';
      readonly devpath: Devpath;
      readonly modalias?: string;
      readonly before?: string;
      readonly now?: string;
    }
  | { readonly kind: 'kernel'; readonly before: string; readonly now: string }
  | { readonly kind: 'decided'; readonly atMs: number; readonly incident: Incident };

/**
 * What is different, against how it was at `beforeMs`: the last that is known of the time before the moment that was asked for. It is absent when
 * the record has nothing from before; then only what was done since is told.
 */
export interface Changes {
  readonly beforeMs?: number;
  readonly changes: readonly Change[];
}

/** Incidents that tell of a change of what decides, or of the kernel's modules by other hands. */
const CHANGING: readonly IncidentKind[] = [
  'settings-changed',
  'policy-changed',
  'policy-edited',
  'policy-overridden',
  'rules-loaded',
  'plugin-loaded',
  'plugin-unloaded',
  'plugin-quarantined',
  'driver-override',
  'modules-by-hand',
  'module-loaded',
  'module-unloaded',
  'taint-changed',
  'damaged-ledger',
  'rows-lost',
];

/** What changed between the moment before `sinceMs` and `nowMs`: devices and drivers by comparing the two, the rest as it was recorded. */
export function findChanges(db: Connection, sinceMs: number, nowMs: number): Changes {
  const [kernelBefore, kernelNow] = [sinceMs - 1, nowMs].map(atMs => kernelAt(db, atMs));
  if (kernelBefore === undefined) return { changes: decided(db, sinceMs, nowMs) };
  const before = findConnected(db, sinceMs - 1);
  const now = findConnected(db, nowMs);
  return {
    beforeMs: before.asOfMs,
    changes: [
      ...(kernelNow !== undefined && kernelBefore !== kernelNow
        ? [{ kind: 'kernel', before: kernelBefore, now: kernelNow } as const]
        : []),
      ...deviceChanges(before.devices, now.devices),
      ...decided(db, sinceMs, nowMs),
    ],
  };
}

function deviceChanges(before: readonly ConnectedDevice[], now: readonly ConnectedDevice[]): readonly Change[] {
  const keyOf = ({ devpath, modalias = '' }: ConnectedDevice): string => `${devpath}\n${modalias}`;
  const old = new Map(before.map(device => [keyOf(device), device]));
  const fresh = new Map(now.map(device => [keyOf(device), device]));
  const came = now.filter(device => !old.has(keyOf(device))).map(device => changeOf('came', device));
  const went = before.filter(device => !fresh.has(keyOf(device))).map(device => changeOf('went', device));
  const driven = now.flatMap((device): readonly Change[] => {
    const was = old.get(keyOf(device));
    if (was === undefined || was.driver === device.driver) return [];
    const { devpath, modalias } = device;
    return [
      {
        kind: 'driver',
        devpath,
        ...(modalias !== undefined && { modalias }),
        ...(was.driver !== undefined && { before: was.driver }),
        ...(device.driver !== undefined && { now: device.driver }),
      },
    ];
  });
  return [...went, ...came, ...driven];
}

function changeOf(kind: 'came' | 'went', { devpath, modalias, driver }: ConnectedDevice): Change {
  return { kind, devpath, ...(modalias !== undefined && { modalias }), ...(driver !== undefined && { driver }) };
}

function kernelAt(db: Connection, atMs: number): string | undefined {
  return db
    .prepare<[number], string>('SELECT kernel FROM run WHERE started_ms <= ? ORDER BY id DESC LIMIT 1')
    .pluck()
    .get(atMs);
}

function decided(db: Connection, sinceMs: number, nowMs: number): readonly Change[] {
  return db
    .prepare<(string | number)[], { at_ms: number; kind: string; facts: string }>(
      `SELECT at_ms, kind, facts FROM incident WHERE at_ms >= ? AND at_ms <= ? AND kind IN (${CHANGING.map(() => '?').join(', ')})
       ORDER BY at_ms, id`,
    )
    .all(sinceMs, nowMs, ...CHANGING)
    .map(({ at_ms: atMs, kind, facts }) => ({
      kind: 'decided',
      atMs,
      incident: { kind, ...(JSON.parse(facts) as object) } as Incident,
    }));
}
