import path from 'node:path';
import { GROUP_KEYS, type Count } from '../../pipeline/7-ledger/count-by.ts';
import type { HistoryFilter } from '../../pipeline/7-ledger/history-filter.ts';
import type { History, IncidentFilter } from '../../pipeline/7-ledger/history.ts';
import type { ConnectedDevice } from '../../pipeline/7-ledger/questions.ts';
import { formatNumber } from '../../pipeline/8-report/quantity.ts';
import { BOOT_OPTIONS, HISTORY_OPTIONS, historyFilterOf, momentOption } from '../history-options.ts';
import { grown } from '../ledger-growth.ts';
import { bootIdOf } from '../open-history.ts';
import { printJson, printLines, terminal } from '../output.ts';
import { isSet, textOption } from '../option-values.ts';
import { printRecords, recordForm, RECORD_OPTIONS, type RecordColumn } from '../print-records.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const history: Verb = {
  name: 'history',
  summary: 'print what happened: events, decisions, outcomes',
  description: [
    'Reads the ledger, with or without a daemon. Oldest first, as a log is read; with --limit the newest are taken.',
    'Answers come from what is kept beside the events (counts by hour, devices, drivers), so that they take no longer when there are ten million of them. Counts by --group-by are of whole hours, for modules, verdicts, rules and outcomes of whole days (UTC).',
    'Every uevent is an entry. One that asked for a driver also has its candidates, verdicts, plan and outcomes: --json prints them all, usher why explains one.',
  ],
  arguments: [],
  options: [
    ...HISTORY_OPTIONS,
    ...BOOT_OPTIONS,
    { flags: '--at <time>', description: 'what was connected at this moment, in place of events' },
    { flags: '--group-by <key>', description: 'count, in place of listing', choices: GROUP_KEYS },
    ...RECORD_OPTIONS,
    { flags: '-f, --follow', description: 'go on with what happens from now on, until Ctrl-C' },
    { flags: '--incidents', description: 'losses, rejected datagrams, reloads and problems, in place of events' },
    {
      flags: '--requests',
      description: 'what the kernel and administrators asked for by an alias or name, in place of events',
    },
  ],
  examples: [
    {
      command: 'usher history --since yesterday --outcome refused',
      does: 'What the kernel would not load since yesterday.',
    },
    { command: 'usher history -d 2-1:1.0 --json', does: 'All that happened to one USB interface, whole.' },
    {
      command: 'usher history -a add --since "2026-03-01 09:00" --until "2026-03-01 17:00"',
      does: 'What was plugged in between nine and five.',
    },
    { command: 'usher history -m e1000e --outcome loaded', does: 'Every load of a module, and for which device.' },
    { command: 'usher history --verdict deny -n 50', does: 'What was denied last; --verdict hold for what was held.' },
    { command: 'usher history --group-by rule --verdict deny', does: 'How often each rule denied something.' },
    { command: 'usher history --since-boot -1', does: 'What changed since the boot before this one.' },
    { command: 'usher history --at "2026-03-01 16:30"', does: 'What was connected at the moment of an incident.' },
    { command: 'usher history -n 20 -f', does: 'The last twenty entries, then what comes.' },
  ],
  run: runHistory,
};

async function runHistory(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { History } = await import('../../pipeline/7-ledger/history.ts');
  const report = await import('../../pipeline/8-report/history-report.ts');
  const ledger = History.open(path.join(caller.roots.stateDir, 'ledger.sqlite'));
  const look = terminal(caller);
  try {
    const filter = { ...historyFilterOf(options, Date.now()), ...bootFilter(options, ledger) };
    if (textOption(options, 'at') !== undefined) return await printConnected(ledger, options, caller);
    const key = GROUP_KEYS.find(each => each === textOption(options, 'groupBy'));
    if (key !== undefined) {
      printRecords(ledger.counts(key, filter).slice(0, filter.limit), COUNT_COLUMNS, options, caller);
      return 0;
    }
    if (isSet(options, 'incidents')) {
      for (const incident of ledger.incidents(incidentFilterOf(filter)).toReversed()) {
        if (caller.isJson) printJson(caller, report.incidentToJson(incident));
        else printLines(caller, [report.formatIncidentLine(incident, look)]);
      }
      return 0;
    }
    if (isSet(options, 'requests')) {
      for (const request of ledger.requests(incidentFilterOf(filter)).toReversed()) {
        if (caller.isJson) printJson(caller, report.requestToJson(request));
        else printLines(caller, [report.formatRequestLine(request, look)]);
      }
      return 0;
    }
    let last = ledger.lastId();
    const found = ledger.query(filter);
    // The newest are found newest first; a log is read oldest first.
    const entries = filter.order === 'newest-first' && !isSet(options, 'reverse') ? [...found].toReversed() : found;
    const form = recordForm(options, caller);
    if (form === 'json') for (const entry of entries) printJson(caller, report.historyEntryToJson(entry));
    else if (form === 'csv') printLines(caller, report.formatHistoryCsv(entries));
    else printLines(caller, report.formatHistoryTable(entries, look));
    const isNews = (): boolean => ledger.lastId() > last;
    while (isSet(options, 'follow') && (await grown(ledger.path, caller.signal, isNews))) {
      const now = ledger.lastId();
      for (const entry of ledger.since(last, now)) {
        if (caller.isJson) printJson(caller, report.historyEntryToJson(entry));
        else printLines(caller, [report.formatHistoryLine(entry, look)]);
      }
      last = now;
    }
    return 0;
  } finally {
    ledger.close();
  }
}

const COUNT_COLUMNS: readonly RecordColumn<Count>[] = [
  {
    field: 'count',
    title: 'COUNT',
    align: 'right',
    value: ({ count }) => count,
    shown: ({ count }) => formatNumber(count),
  },
  { field: 'key', title: 'KEY', value: ({ key }) => key },
];

const CONNECTED_COLUMNS: readonly RecordColumn<ConnectedDevice>[] = [
  { field: 'devpath', title: 'DEVICE', canShrink: true, value: ({ devpath }) => devpath },
  { field: 'subsystem', title: 'SUBSYSTEM', value: ({ subsystem }) => subsystem },
  { field: 'driver', title: 'DRIVER', value: ({ driver }) => driver },
  { field: 'modalias', title: 'MODALIAS', canShrink: true, value: ({ modalias }) => modalias },
  { field: 'entry', title: 'ENTRY', align: 'right', value: ({ entry }) => entry },
];

async function printConnected(ledger: History, options: OptionValues, caller: Caller): Promise<number> {
  const atMs = momentOption(options, 'at', '--at', Date.now()) ?? 0;
  const { asOfMs, devices } = ledger.connectedAt(atMs);
  const { formatShortTime } = await import('../../pipeline/8-report/quantity.ts');
  if (asOfMs < atMs)
    caller.stderr.write(`usher: nobody listened then; this is what was connected at ${formatShortTime(asOfMs)}\n`);
  printRecords(devices, CONNECTED_COLUMNS, options, caller);
  return 0;
}

function bootFilter(options: OptionValues, ledger: History): HistoryFilter {
  const of = (key: string, flag: string): string | undefined => {
    const text = textOption(options, key);
    return text === undefined ? undefined : bootIdOf(ledger, text, flag);
  };
  return { bootId: of('boot', '--boot'), sinceBootId: of('sinceBoot', '--since-boot') };
}

function incidentFilterOf({ sinceMs, untilMs, limit }: HistoryFilter): IncidentFilter {
  return {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(limit === undefined ? {} : { limit }),
  };
}
