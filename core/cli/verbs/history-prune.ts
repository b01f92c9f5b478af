import { UsherdError } from '../../errors.ts';
import { formatCount } from '../../pipeline/8-report/quantity.ts';
import { ledgerFile, withHistory } from '../open-history.ts';
import { isSet } from '../option-values.ts';
import { printJson, printLines } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const historyPrune: Verb = {
  name: 'history prune',
  summary: 'take from the record what the settings do not keep',
  description: [
    'The settings are those of [ledger] in usherd.toml: keep_days, keep_decision_days, keep_incident_days, keep_events, keep_bytes. A running daemon does it itself, once a day and now; without one this process does.',
    'What went is told in the record by number, kind and the hashes of the seals that went with it, so that usher history verify still proves what is left. Counts by hour and day, devices and drivers are kept.',
  ],
  arguments: [],
  options: [{ flags: '--dry-run', description: 'say what would go, and take nothing' }],
  examples: [{ command: 'usher history prune --dry-run', does: 'How many rows of each kind would go.' }],
  run: runHistoryPrune,
};

async function runHistoryPrune(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { readSettings } = await import('../../daemon/read-settings.ts');
  const { retentionOf } = await import('../../daemon/settings.ts');
  const { keepsAll } = await import('../../pipeline/7-ledger/retention.ts');
  const { settings } = readSettings(caller.roots.configDirs);
  const retention = retentionOf(settings);
  if (isSet(options, 'dryRun')) {
    const counts = await withHistory(caller, history => history.prunable(retention, Date.now()));
    if (caller.isJson) printJson(caller, counts);
    else if (keepsAll(retention)) printLines(caller, ['the settings keep everything']);
    else
      printLines(caller, [
        `would go: ${Object.entries(counts)
          .map(([kind, rows]) => `${formatCount(rows, 'row')} of ${kind}`)
          .join(', ')}`,
      ]);
    return 0;
  }
  const rows = (await pruneInDaemon(caller)) ?? (await pruneHere(caller, settings.signKey));
  if (caller.isJson) printJson(caller, { rows });
  else printLines(caller, [`${formatCount(rows, 'row')} pruned`]);
  return 0;

  async function pruneHere({ roots }: Caller, signKey: string): Promise<number> {
    const { existsSync } = await import('node:fs');
    const file = ledgerFile({ roots });
    if (!existsSync(file)) throw new UsherdError('FILE_UNREADABLE', `${file}: there is no ledger yet`, { file });
    const { Ledger } = await import('../../pipeline/7-ledger/ledger.ts');
    const ledger = Ledger.open(file, { hidesSerials: settings.hashSerials });
    try {
      let taken = 0;
      for (const range of ledger.prune(retention, { keyFile: signKey === '' ? undefined : signKey, uid: caller.uid }))
        taken += range.rows;
      if (taken > 0) for (const _ of ledger.sweepTexts()) continue;
      return taken;
    } finally {
      ledger.close('pruned');
    }
  }
}

/** Undefined when no daemon answers. */
async function pruneInDaemon(caller: Caller): Promise<number | undefined> {
  const { askDaemon } = await import('../daemon-call.ts');
  try {
    for await (const item of askDaemon(caller, 'prune')) return Number((item as { rows?: unknown }).rows);
  } catch (error) {
    if (!(error instanceof UsherdError) || error.code !== 'DAEMON_UNREACHABLE') throw error;
  }
  return undefined;
}
