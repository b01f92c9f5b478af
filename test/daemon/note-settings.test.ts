import test from 'ava';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { noteSettings } from '../../core/daemon/note-settings.ts';
import { DEFAULT_SETTINGS } from '../../core/daemon/settings.ts';
import { History } from '../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../core/pipeline/7-ledger/ledger.ts';

test('settings are in the record when they are others than those it has, with their hash and what changed', t => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-settings-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'ledger.sqlite');
  let ledger = Ledger.open(file);
  noteSettings(DEFAULT_SETTINGS, ledger);
  const strict = { ...DEFAULT_SETTINGS, policyDefault: 'deny-unmatched', keepDays: 30 } as const;
  noteSettings(strict, ledger);
  noteSettings({ ...strict }, ledger);
  ledger.close('changed while nobody listened');
  ledger = Ledger.open(file);
  noteSettings(strict, ledger);
  noteSettings({ ...DEFAULT_SETTINGS, keepDays: 90 }, ledger);
  ledger.close('test over');
  const history = History.open(file);
  const [second, first, ...others] = history.incidents().map(({ incident }) => incident);
  history.close();
  t.deepEqual(others, []);
  if (first?.kind !== 'settings-changed' || second?.kind !== 'settings-changed') return t.fail('both are such rows');
  t.deepEqual(first, {
    kind: 'settings-changed',
    hash: first.hash,
    values: { 'policy.default': 'deny-unmatched', 'ledger.keep_days': 30 },
    changes: ['policy.default: "allow" → "deny-unmatched"', 'ledger.keep_days: 0 → 30'],
  });
  t.regex(first.hash, /^[0-9a-f]{64}$/);
  return t.deepEqual(second, {
    kind: 'settings-changed',
    hash: second.hash,
    before: first.hash,
    values: { 'ledger.keep_days': 90 },
    changes: ['policy.default: "deny-unmatched" → "allow"', 'ledger.keep_days: 30 → 90'],
  });
});
