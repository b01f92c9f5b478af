import type { ModuleName } from '../../vocabulary/module-name.ts';
import { modulesOf } from '../7-ledger/deliberation.ts';
import { INTERRUPTED_SENTENCE, type HistoryEntry, type HistoryIncident } from '../7-ledger/history-entry.ts';
import type { RequestEntry } from '../7-ledger/request-entry.ts';
import { formatCsv } from './csv.ts';
import { factsText } from './incident-text.ts';
import { toJson, type Json } from './json.ts';
import { resultSpan } from './outcome-text.ts';
import { formatShortTime, formatTime } from './quantity.ts';
import { formatTable, type Column } from './table.ts';
import { span, writeSpans, type Span, type Terminal } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'ENTRY', align: 'right' },
  { title: 'TIME' },
  { title: 'ACTION' },
  { title: 'DEVICE', canShrink: true },
  { title: 'MODULES', canShrink: true },
  { title: 'RESULT' },
  { title: 'DRIVER' },
];

/** Entries → a table, a line each. */
export function formatHistoryTable(entries: Iterable<HistoryEntry>, terminal: Terminal): string[] {
  const rows = Array.from(entries, (entry): Span[] => [
    String(entry.id),
    formatShortTime(entry.event.receivedAtMs),
    entry.event.action,
    entry.event.devpath,
    span('name', targetsOf(entry).join(' ')),
    resultSpan(entry.state, entry.result),
    entry.binds.at(-1)?.driver ?? '',
  ]);
  return formatTable(COLUMNS, rows, terminal);
}

/** Entries → CSV with a line of titles; a field once there stays. */
export function formatHistoryCsv(entries: Iterable<HistoryEntry>): string[] {
  const titles = [
    'entry',
    'time',
    'action',
    'devpath',
    'subsystem',
    'modalias',
    'modules',
    'state',
    'result',
    'driver',
  ];
  const rows = Array.from(entries, entry => [
    entry.id,
    isoTime(entry.event.receivedAtMs),
    entry.event.action,
    entry.event.devpath,
    entry.event.subsystem,
    entry.event.env['MODALIAS'],
    targetsOf(entry).join(' '),
    entry.state,
    entry.result,
    entry.binds.at(-1)?.driver,
  ]);
  return formatCsv(titles, rows);
}

/** An entry → one line, for following. */
export function formatHistoryLine(entry: HistoryEntry, terminal: Terminal): string {
  const { event, binds } = entry;
  const modules = targetsOf(entry).join(' ');
  const bind = binds.at(-1);
  const spans: Span[] = [
    span('faint', formatShortTime(event.receivedAtMs)),
    ` ${event.action.padEnd('offline'.length)} ${event.subsystem} ${event.devpath}`,
    ...(modules === '' ? [] : [' ', span('name', modules)]),
    ...(entry.state === 'recorded' ? [] : [' ', resultSpan(entry.state, entry.result)]),
    ...(bind ? [' ', span('good', `driver ${bind.driver}`)] : []),
  ];
  return writeSpans(spans, terminal);
}

/**
 * An entry → its JSON: the fields of HistoryEntry; `time`, the moment it was received as ISO 8601 in UTC; and, of an interrupted
 * entry, `note`.
 */
export function historyEntryToJson(entry: HistoryEntry): Json {
  const note = entry.state === 'interrupted' ? INTERRUPTED_SENTENCE : undefined;
  return toJson({ time: isoTime(entry.event.receivedAtMs), ...entry, note });
}

/** An incident → one line. */
export function formatIncidentLine({ atMs, incident }: HistoryIncident, terminal: Terminal): string {
  return writeSpans(
    [span('faint', formatTime(atMs)), ' ', span('warning', incident.kind), factsText(incident)],
    terminal,
  );
}

/** An incident → its JSON: the fields of HistoryIncident, and `time`. */
export function incidentToJson(incident: HistoryIncident): Json {
  return toJson({ time: isoTime(incident.atMs), ...incident });
}

/** A request → one line: when, who asked for what, and how it ended. */
export function formatRequestLine(
  { atMs, asker, asked, state, result, deliberation }: RequestEntry,
  terminal: Terminal,
): string {
  const said = deliberation?.decisions.find(({ verdict }) => verdict === 'deny')?.winner;
  return writeSpans(
    [
      span('faint', formatTime(atMs)),
      ` ${asker} `,
      span('name', asked),
      ' ',
      resultSpan(state, result),
      ...(said === undefined ? [] : [` ${said.module} is denied by ${said.by}: ${said.reason}`]),
    ],
    terminal,
  );
}

/** A request → its JSON: the fields of RequestEntry, and `time`. */
export function requestToJson(request: RequestEntry): Json {
  return toJson({ time: isoTime(request.atMs), ...request });
}

/** The modules an entry was about: what was to be loaded, else what it speaks of. */
function targetsOf({ deliberation }: HistoryEntry): readonly ModuleName[] {
  if (deliberation === undefined) return [];
  const { candidates, plans } = deliberation;
  const targets = new Set([...candidates.map(({ module }) => module), ...plans.map(({ target }) => target)]);
  return [...(targets.size > 0 ? targets : modulesOf(deliberation))];
}

/** A moment outside what a Date can hold has no ISO form. */
function isoTime(atMs: number): string | undefined {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
