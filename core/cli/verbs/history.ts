import path from 'node:path';
import type { HistoryFilter } from '../../pipeline/7-ledger/history-filter.ts';
import type { IncidentFilter } from '../../pipeline/7-ledger/history.ts';
import { HISTORY_OPTIONS, historyFilterOf } from '../history-options.ts';
import { printJson, printLines, terminal } from '../output.ts';
import { isSet } from '../option-values.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const history: Verb = {
  name: 'history',
  summary: 'print what happened: events, decisions, outcomes',
  description: [
    'Reads the ledger, with or without a daemon. Oldest first, as a log is read; with --limit the newest are taken.',
    'Every uevent is an entry. One that asked for a driver also has its candidates, verdicts, plan and outcomes: --json prints them all, usher why explains one.',
  ],
  arguments: [],
  options: [
    ...HISTORY_OPTIONS,
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
    { command: 'usher history -n 20 -f', does: 'The last twenty entries, then what comes.' },
  ],
  run: runHistory,
};

async function runHistory(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { History } = await import('../../pipeline/7-ledger/history.ts');
  const report = await import('../../pipeline/8-report/history-report.ts');
  const ledger = History.open(path.join(caller.roots.stateDir, 'ledger.sqlite'));
  const look = terminal(caller);
  const filter = historyFilterOf(options, Date.now());
  try {
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
    if (caller.isJson) for (const entry of entries) printJson(caller, report.historyEntryToJson(entry));
    else printLines(caller, report.formatHistoryTable(entries, look));
    while (isSet(options, 'follow') && (await grown(ledger.path, caller.signal))) {
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

function incidentFilterOf({ sinceMs, untilMs, limit }: HistoryFilter): IncidentFilter {
  return {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** Waits until the ledger was written to, by inotify; false when the caller has had enough. */
async function grown(file: string, signal: AbortSignal): Promise<boolean> {
  const { watch } = await import('node:fs');
  return new Promise(resolve => {
    const watcher = watch(path.dirname(file), (_event, name) => {
      if (name?.startsWith(path.basename(file)) === true) end(true);
    });
    const stop = (): void => end(false);
    const end = (answer: boolean): void => {
      watcher.close();
      signal.removeEventListener('abort', stop);
      resolve(answer);
    };
    if (signal.aborted) end(false);
    else signal.addEventListener('abort', stop, { once: true });
  });
}
