import type { RowRecord } from '../7-ledger/row-records.ts';
import { csvCell } from './csv.ts';
import { toJson } from './json.ts';
import { derivedFacts, plainFacts, severityOf } from './told-facts.ts';

/** Forms in which the record leaves usherd as text; journald takes datagrams (journal-message.ts). */
export const EXPORT_FORMATS = ['jsonl', 'csv', 'cloudevents', 'syslog'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Who exports: the machine's name, and which ledger of it (History.identity). */
export interface Exporter {
  readonly host: string;
  readonly ledger: string;
}

const CSV_FIELDS = [
  'offset',
  'time',
  'kind',
  'action',
  'devpath',
  'subsystem',
  'modalias',
  'driver',
  'result',
  'incident',
  'facts',
];
/** daemon, syslog(3). */
export const SYSLOG_FACILITY = 3;
/** The number that RFC 5612 keeps for examples: usherd has none of its own. */
const SYSLOG_ENTERPRISE = 32473;

/** First line of an export, where the form has one. */
export function exportTitle(format: ExportFormat): string | undefined {
  return format === 'csv' ? CSV_FIELDS.join(',') : undefined;
}

/** A record → one line. */
export function formatRecord(record: RowRecord, format: ExportFormat, exporter: Exporter): string {
  const { offset, kind, atMs, facts } = record;
  const time = isoTime(atMs);
  switch (format) {
    case 'jsonl': {
      const own = { offset, kind, time, atMs };
      return JSON.stringify(toJson({ ...own, ...facts, ...own }));
    }
    case 'csv': {
      const { action, devpath, subsystem, modalias, driver, result, incident, ...others } = facts;
      const cells = [
        offset,
        time,
        kind,
        action,
        devpath,
        subsystem,
        modalias,
        driver,
        result,
        incident,
        toJson(others),
      ];
      return cells.map(csvCell).join(',');
    }
    case 'cloudevents':
      return JSON.stringify(cloudEvent(record, exporter));
    default:
      return syslogLine(record, exporter);
  }
}

/** CloudEvents 1.0, JSON format: source and id together are unique, so that who receives one twice can tell. */
function cloudEvent({ offset, kind, atMs, facts }: RowRecord, { host, ledger }: Exporter): object {
  const subject = facts['devpath'];
  return {
    specversion: '1.0',
    id: String(offset),
    source: `/usherd/${encodeURIComponent(host)}/${ledger}`,
    type: `usherd.${kind}`,
    time: isoTime(atMs),
    ...(typeof subject === 'string' && { subject }),
    datacontenttype: 'application/json',
    data: toJson(facts),
  };
}

/** RFC 5424, with the facts that are short texts as structured data. */
function syslogLine(record: RowRecord, { host }: Exporter): string {
  const { offset, kind, atMs } = record;
  const priority = SYSLOG_FACILITY * 8 + severityOf(record);
  const data = [['offset', String(offset)] as const, ...plainFacts(record)].map(
    ([name, value]) => `${name}="${escapeControls(value).replaceAll(/["\\\]]/g, sign => `\\${sign}`)}"`,
  );
  const sender = /^[\x21-\x7e]{1,255}$/.test(host) ? host : '-';
  return `<${priority}>1 ${isoTime(atMs)} ${sender} usherd - ${kind} [usherd@${SYSLOG_ENTERPRISE} ${data.join(' ')}] ${messageOf(record)}`;
}

/** What a message is made of, in this order. */
const MESSAGE_FACTS = [
  'action',
  'devpath',
  'asked',
  'driver',
  'modules',
  'verdict',
  'result',
  'incident',
  'module',
  'reason',
  'kernel',
] as const;

/** What happened, for a person, in a line. */
export function messageOf({ kind, facts }: RowRecord): string {
  const told: Readonly<Record<string, unknown>> = { ...facts, ...derivedFacts({ kind, facts }) };
  const words = MESSAGE_FACTS.flatMap(name => {
    const fact = told[name];
    return typeof fact === 'string' && fact !== '' ? [fact] : [];
  });
  return escapeControls([kind, ...words].join(' '));
}

/** Line breaks and other control characters would begin another record. */
function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isoTime(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString();
}
