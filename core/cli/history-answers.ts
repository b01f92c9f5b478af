import { UsherdError } from '../errors.ts';
import { GROUP_KEYS, type Count } from '../pipeline/7-ledger/count-by.ts';
import type { HistoryFilter } from '../pipeline/7-ledger/history-filter.ts';
import type { History, IncidentFilter } from '../pipeline/7-ledger/history.ts';
import type { HistoryIncident } from '../pipeline/7-ledger/history-entry.ts';
import type { ConnectedDevice } from '../pipeline/7-ledger/questions.ts';
import type { RequestEntry } from '../pipeline/7-ledger/request-entry.ts';
import { formatNumber } from '../pipeline/8-report/quantity.ts';
import { momentOption } from './history-options.ts';
import { isSet, listOption, textOption } from './option-values.ts';
import { printJson, printLines, terminal } from './output.ts';
import { printRecords, recordForm, type RecordColumn } from './print-records.ts';
import type { Caller, OptionValues } from './verb.ts';

interface Asked {
  readonly ledger: History;
  readonly filter: HistoryFilter;
  readonly options: OptionValues;
  readonly caller: Caller;
}

/** What usher history answers in place of events: the option that asks for it, and the options that have a meaning beside it. */
export interface OtherAnswer {
  readonly key: string;
  readonly flag: string;
  readonly takes: readonly string[];
  readonly print: (asked: Asked) => Promise<void>;
}

/** Options that choose the form, and those that every verb has. */
const FORMS = ['csv', 'table'];
const ROWS = ['since', 'until', 'boot', 'sinceBoot', 'limit', 'after', 'reverse'];

export const OTHER_ANSWERS: readonly OtherAnswer[] = [
  { key: 'at', flag: '--at', takes: ['device', 'subsystem', 'limit'], print: printConnected },
  {
    key: 'groupBy',
    flag: '--group-by',
    // What can be counted with which condition, countBy says.
    takes: ['since', 'until', 'subsystem', 'action', 'verdict', 'limit'],
    print: printCounts,
  },
  { key: 'incidents', flag: '--incidents', takes: [...ROWS, 'kind', 'module'], print: printIncidents },
  { key: 'requests', flag: '--requests', takes: ROWS, print: printRequests },
];

/** @throws {UsherdError} USAGE for an option of usher history that would have no effect */
export function refuseOthers({ key, flag, takes }: OtherAnswer, options: OptionValues): void {
  const isGiven = (name: string): boolean => options[name] !== undefined && options[name] !== false;
  const other = CONDITIONS.find(
    ([name]) => isGiven(name) && name !== key && !takes.includes(name) && !FORMS.includes(name),
  );
  if (other !== undefined)
    throw new UsherdError(
      'USAGE',
      `${other[1]} has no meaning with ${flag}; beside it go ${takes.map(flagOf).join(', ')}`,
    );
}

const CONDITIONS: readonly (readonly [key: string, flag: string])[] = [
  'since',
  'until',
  'device',
  'module',
  'subsystem',
  'action',
  'verdict',
  'rule',
  'outcome',
  'env',
  'fromSeqnum',
  'toSeqnum',
  'limit',
  'after',
  'reverse',
  'boot',
  'sinceBoot',
  'at',
  'groupBy',
  'incidents',
  'requests',
  'kind',
  'follow',
].map(key => [key, flagOf(key)] as const);

function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
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

function printCounts({ ledger, filter, options, caller }: Asked): Promise<void> {
  const key = GROUP_KEYS.find(each => each === textOption(options, 'groupBy'));
  if (key !== undefined)
    printRecords(ledger.counts(key, filter).slice(0, filter.limit), COUNT_COLUMNS, options, caller);
  return Promise.resolve();
}

const CONNECTED_COLUMNS: readonly RecordColumn<ConnectedDevice>[] = [
  { field: 'devpath', title: 'DEVICE', canShrink: true, value: ({ devpath }) => devpath },
  { field: 'subsystem', title: 'SUBSYSTEM', value: ({ subsystem }) => subsystem },
  { field: 'driver', title: 'DRIVER', value: ({ driver }) => driver },
  { field: 'modalias', title: 'MODALIAS', canShrink: true, value: ({ modalias }) => modalias },
  { field: 'entry', title: 'ENTRY', align: 'right', value: ({ entry }) => entry },
];

async function printConnected({ ledger, filter, options, caller }: Asked): Promise<void> {
  const atMs = momentOption(options, 'at', '--at', Date.now()) ?? 0;
  const { asOfMs, devices } = ledger.connectedAt(atMs, filter);
  const { formatShortTime } = await import('../pipeline/8-report/quantity.ts');
  if (asOfMs < atMs)
    caller.stderr.write(`usher: nobody listened then; this is what was connected at ${formatShortTime(asOfMs)}\n`);
  printRecords(devices.slice(0, filter.limit), CONNECTED_COLUMNS, options, caller);
}

const INCIDENT_COLUMNS: readonly RecordColumn<HistoryIncident>[] = [
  { field: 'id', title: 'ID', value: ({ id }) => id },
  { field: 'time', title: 'TIME', value: ({ atMs }) => new Date(atMs).toISOString() },
  { field: 'run', title: 'RUN', value: ({ runId }) => runId },
  { field: 'kind', title: 'KIND', value: ({ incident }) => incident.kind },
  { field: 'facts', title: 'FACTS', value: ({ incident: { kind: _kind, ...facts } }) => facts },
];

async function printIncidents({ ledger, filter, options, caller }: Asked): Promise<void> {
  const { formatIncidentLine, incidentToJson } = await import('../pipeline/8-report/history-report.ts');
  const { module } = filter;
  const wanted = { ...rowFilter(filter), kinds: listOption(options, 'kind'), module };
  const incidents = inOrder(ledger.incidents(wanted), options);
  const form = recordForm(options, caller);
  if (form === 'csv') printRecords(incidents, INCIDENT_COLUMNS, options, caller);
  else if (form === 'json') for (const incident of incidents) printJson(caller, incidentToJson(incident));
  else
    printLines(
      caller,
      incidents.map(incident => formatIncidentLine(incident, terminal(caller))),
    );
}

const REQUEST_COLUMNS: readonly RecordColumn<RequestEntry>[] = [
  { field: 'id', title: 'ID', value: ({ id }) => id },
  { field: 'time', title: 'TIME', value: ({ atMs }) => new Date(atMs).toISOString() },
  { field: 'asker', title: 'ASKER', value: ({ asker }) => asker },
  { field: 'asked', title: 'ASKED', value: ({ asked }) => asked },
  { field: 'uid', title: 'UID', value: ({ uid }) => uid },
  { field: 'devpath', title: 'DEVICE', value: ({ devpath }) => devpath },
  { field: 'state', title: 'STATE', value: ({ state }) => state },
  { field: 'result', title: 'RESULT', value: ({ result }) => result },
];

async function printRequests({ ledger, filter, options, caller }: Asked): Promise<void> {
  const { formatRequestLine, requestToJson } = await import('../pipeline/8-report/history-report.ts');
  const requests = inOrder(ledger.requests(rowFilter(filter)), options);
  const form = recordForm(options, caller);
  if (form === 'csv') printRecords(requests, REQUEST_COLUMNS, options, caller);
  else if (form === 'json') for (const request of requests) printJson(caller, requestToJson(request));
  else
    printLines(
      caller,
      requests.map(request => formatRequestLine(request, terminal(caller))),
    );
}

/** Found newest first; a log is read oldest first. */
function inOrder<Item>(found: readonly Item[], options: OptionValues): readonly Item[] {
  return isSet(options, 'reverse') ? found : found.toReversed();
}

function rowFilter({ sinceMs, untilMs, bootId, sinceBootId, after, limit }: HistoryFilter): IncidentFilter {
  return { sinceMs, untilMs, bootId, sinceBootId, after, limit };
}
