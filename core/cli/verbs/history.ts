import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { GROUP_KEYS } from '../../pipeline/7-ledger/count-by.ts';
import type { HistoryFilter } from '../../pipeline/7-ledger/history-filter.ts';
import type { History } from '../../pipeline/7-ledger/history.ts';
import { OTHER_ANSWERS, refuseOthers } from '../history-answers.ts';
import { BOOT_OPTIONS, HISTORY_OPTIONS, historyFilterOf } from '../history-options.ts';
import { grown } from '../ledger-growth.ts';
import { bootOf } from '../open-history.ts';
import { isSet, listOption, textOption } from '../option-values.ts';
import { printJson, printLines, terminal } from '../output.ts';
import { recordForm, RECORD_OPTIONS } from '../print-records.ts';
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
    {
      flags: '--incidents',
      description:
        'losses, rejected datagrams, changes of what decides, modules by hand, reloads and problems, in place of events',
    },
    { flags: '--kind <kind>', description: 'of incidents: only this kind', isRepeatable: true },
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
    {
      command: 'usher history --incidents --kind policy-changed --kind policy-edited',
      does: 'Who changed the policy, and how.',
    },
    {
      command: 'usher history --incidents --kind modules-by-hand -m e1000e',
      does: 'Who loaded or removed a module with modprobe, insmod or rmmod.',
    },
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
    const other = OTHER_ANSWERS.find(({ key: name }) => options[name] !== undefined && options[name] !== false);
    if (other !== undefined) {
      refuseOthers(other, options);
      await other.print({ ledger, filter, options, caller });
      return 0;
    }
    if (listOption(options, 'kind').length > 0)
      throw new UsherdError('USAGE', '--kind has no meaning without --incidents');
    let last = ledger.lastId();
    const found = ledger.query(filter);
    // The newest are found newest first; a log is read oldest first.
    const inOrder = filter.order === 'newest-first' && !isSet(options, 'reverse') ? [...found].toReversed() : found;
    // What has come meanwhile is told by following.
    const entries = isSet(options, 'follow') ? [...inOrder].filter(({ id }) => id <= last) : inOrder;
    const form = recordForm(options, caller);
    if (form === 'json') for (const entry of entries) printJson(caller, report.historyEntryToJson(entry));
    else if (form === 'csv') printLines(caller, report.formatHistoryCsv(entries));
    else printLines(caller, report.formatHistoryTable(entries, look));
    const isNews = (): boolean => ledger.lastId() > last;
    while (isSet(options, 'follow') && (await grown(ledger.path, caller.signal, isNews))) {
      const now = ledger.lastId();
      for (const entry of ledger.since(last, now)) {
        if ([...ledger.query({ ...filter, entry: entry.id, after: undefined })].length === 0) continue;
        if (form === 'json') printJson(caller, report.historyEntryToJson(entry));
        else if (form === 'csv') printLines(caller, report.formatHistoryCsv([entry]).slice(1));
        else printLines(caller, [report.formatHistoryLine(entry, look)]);
      }
      last = now;
    }
    return 0;
  } finally {
    ledger.close();
  }
}

function bootFilter(options: OptionValues, ledger: History): HistoryFilter {
  const of = (key: string, flag: string): string | undefined => {
    const text = textOption(options, key);
    return text === undefined ? undefined : bootOf(ledger, text, flag).bootId;
  };
  return { bootId: of('boot', '--boot'), sinceBootId: of('sinceBoot', '--since-boot') };
}
