import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Ledger } from '../pipeline/7-ledger/ledger.ts';
import { DEFAULT_SETTINGS, SETTINGS, type Settings } from './settings.ts';

/** Writes which settings count, when they are others than those that were last recorded, also if they changed while nobody listened. */
export function noteSettings(settings: Settings, ledger: Ledger): void {
  const last = ledger.lastIncident('settings-changed');
  const values = Object.fromEntries(
    SETTINGS.filter(({ field }) => !isDeepStrictEqual(settings[field], DEFAULT_SETTINGS[field])).map(
      ({ key, field }) => [key, settings[field]],
    ),
  );
  const before = last?.values ?? {};
  const text = JSON.stringify(values);
  if (text === JSON.stringify(before)) return;
  const changes = SETTINGS.flatMap(({ key, field }) => {
    const [was, is] = [before[key] ?? DEFAULT_SETTINGS[field], settings[field]];
    return isDeepStrictEqual(was, is) ? [] : [`${key}: ${JSON.stringify(was)} → ${JSON.stringify(is)}`];
  });
  ledger.incident({
    kind: 'settings-changed',
    hash: createHash('sha256').update(text).digest('hex'),
    ...(last !== undefined && { before: last.hash }),
    values,
    changes,
  });
}
