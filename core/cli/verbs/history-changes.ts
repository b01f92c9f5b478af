import type { Change } from '../../pipeline/7-ledger/changes.ts';
import { formatShortTime } from '../../pipeline/8-report/quantity.ts';
import { factsText } from '../../pipeline/8-report/incident-text.ts';
import { momentOption } from '../history-options.ts';
import { bootOf, withHistory } from '../open-history.ts';
import { textOption } from '../option-values.ts';
import { printLines } from '../output.ts';
import { printRecords, recordForm, RECORD_OPTIONS, type RecordColumn } from '../print-records.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const historyChanges: Verb = {
  name: 'history changes',
  summary: 'say what is different than it was before a boot or a moment',
  description: [
    'Compares what was connected, and by what it was driven, at the last moment that is known from before with now: devices that came and went, drivers that are others, another kernel. Then what was done since that decides what happens: settings, policy, rules, plugins, and modules that others loaded or removed.',
  ],
  arguments: [],
  options: [
    { flags: '--since <time>', description: 'against this moment: a date, a time ago (15m, 2h, 3d), today, yesterday' },
    {
      flags: '--since-boot <boot>',
      description:
        'against how it was before this boot: 0 is the newest and what is taken unless said, -1 the one before, or a boot id',
    },
    { flags: '--until <time>', description: 'how it was then, in place of now' },
    ...RECORD_OPTIONS,
  ],
  examples: [
    { command: 'usher history changes', does: 'What is different since the machine was started.' },
    { command: 'usher history changes --since 7d', does: 'What is different than a week ago.' },
  ],
  run: runHistoryChanges,
};

const COLUMNS: readonly RecordColumn<Change>[] = [
  { field: 'change', title: 'CHANGE', value: ({ kind }) => kind },
  {
    field: 'at',
    title: 'TIME',
    value: change => ('atMs' in change ? new Date(change.atMs).toISOString() : undefined),
    shown: change => ('atMs' in change ? formatShortTime(change.atMs) : ''),
  },
  {
    field: 'devpath',
    title: 'DEVICE',
    canShrink: true,
    value: change => ('devpath' in change ? change.devpath : undefined),
  },
  { field: 'what', title: 'WHAT', value: whatOf },
  {
    field: 'modalias',
    title: 'MODALIAS',
    canShrink: true,
    value: change => ('modalias' in change ? change.modalias : undefined),
  },
];

/** A change in words, beside its kind and device. */
function whatOf(change: Change): string {
  switch (change.kind) {
    case 'kernel':
      return `${change.before} → ${change.now}`;
    case 'driver':
      return `driver ${change.before ?? 'none'} → ${change.now ?? 'none'}`;
    case 'decided':
      return `${change.incident.kind}${factsText(change.incident)}`;
    default:
      return change.driver === undefined ? '' : `driver ${change.driver}`;
  }
}

async function runHistoryChanges(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const now = Date.now();
  const { beforeMs, changes } = await withHistory(caller, history => {
    const sinceMs =
      momentOption(options, 'since', '--since', now) ??
      bootOf(history, textOption(options, 'sinceBoot') ?? '0', '--since-boot').startedAtMs;
    return history.changes(sinceMs, momentOption(options, 'until', '--until', now) ?? now);
  });
  if (recordForm(options, caller) === 'table')
    caller.stderr.write(
      beforeMs === undefined
        ? 'usher: the record has nothing from before; this is what was done since\n'
        : `usher: against how it was at ${formatShortTime(beforeMs)}\n`,
    );
  if (changes.length === 0 && recordForm(options, caller) === 'table') printLines(caller, ['nothing is different']);
  else printRecords(changes, COLUMNS, options, caller);
  return 0;
}
