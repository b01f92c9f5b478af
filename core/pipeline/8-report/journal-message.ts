import type { RowRecord } from '../7-ledger/row-records.ts';
import { messageOf, SYSLOG_FACILITY } from './export-format.ts';
import { derivedFacts, plainFacts, severityOf } from './told-facts.ts';

/** Longer values are left out: the journal's socket takes datagrams of some 200 KiB, and nothing worth a search is as long. */
const VALUE_MAX_BYTES = 8192;

/**
 * A record → one datagram of journald's native protocol: `NAME=value` lines; a value with a line break as the name alone, a line
 * break, its length as a 64-bit little-endian number, the value, a line break. Fields of ours begin with USHERD_.
 * Source: systemd.io/JOURNAL_NATIVE_PROTOCOL, systemd.journal-fields(7).
 */
export function journalMessage(record: RowRecord): Buffer {
  const { offset, kind, atMs } = record;
  const fields: (readonly [string, string])[] = [
    ['MESSAGE', messageOf(record)],
    ['PRIORITY', String(severityOf(record))],
    ['SYSLOG_IDENTIFIER', 'usherd'],
    ['SYSLOG_FACILITY', String(SYSLOG_FACILITY)],
    ...codePlace(record),
    ['USHERD_OFFSET', String(offset)],
    ['USHERD_KIND', kind],
    ['USHERD_TIME_US', String(Math.round(atMs * 1000))],
    ...plainFacts(record).map(([name, value]) => [`USHERD_${name.toUpperCase()}`, value] as const),
  ];
  return Buffer.concat(fields.map(([name, value]) => journalField(name, value)));
}

/** The rule that decided, as journald has the place of what a message comes from: CODE_FILE and CODE_LINE. */
function codePlace(record: RowRecord): readonly (readonly [string, string])[] {
  const [, file, line] = /^(.*?)(?::(\d+))?$/s.exec(derivedFacts(record)['rule'] ?? '') ?? [];
  if (file === undefined || file === '') return [];
  return [['CODE_FILE', file], ...(line === undefined ? [] : [['CODE_LINE', line] as const])];
}

function journalField(name: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  const isField = /^[A-Z][A-Z0-9_]{0,63}$/.test(name) && bytes.length <= VALUE_MAX_BYTES;
  if (!isField) return Buffer.alloc(0);
  if (!value.includes('\n')) return Buffer.from(`${name}=${value}\n`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
}
