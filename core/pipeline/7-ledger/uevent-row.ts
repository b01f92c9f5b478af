import type { Uevent } from '../1-intake/uevent.ts';

/**
 * A uevent's environment as two texts. Most of it stands in columns of its own or is the same for every event of a kind, so the
 * names are one text that repeats (and is stored once), and only values that no column has are kept beside the row.
 *
 *   names:  a line per key in order; `@KEY` when a column has the value, ` KEY` when `values` has it
 *   values: a line per ` KEY`
 *
 * Line feed and backslash inside a name or value are written `\n` and `\\`.
 */
export interface PackedEnv {
  readonly names: string;
  readonly values: string;
}

/** The columns that can give a value back. */
export type EnvColumns = Pick<Uevent, 'action' | 'devpath' | 'subsystem' | 'seqnum' | 'synthUuid'> & {
  readonly modalias: string | undefined;
  readonly driver: string | undefined;
};

/** `event.env` → its packed form; MODALIAS and DRIVER are expected in columns of the row, as the event's own fields are. */
export function packEnv(event: Uevent): PackedEnv {
  const { env } = event;
  let names = '';
  let values = '';
  let hasValues = false;
  for (const key of Object.keys(env)) {
    const value = env[key] ?? '';
    if (names !== '') names += '\n';
    if (columnHas(key, value, event)) {
      names += `@${key}`;
      continue;
    }
    names += ` ${escapeLine(key)}`;
    if (hasValues) values += '\n';
    values += escapeLine(value);
    hasValues = true;
  }
  return { names, values };
}

/** The packed form and the row's columns → the environment, an object without a prototype. */
export function unpackEnv({ names, values }: PackedEnv, columns: EnvColumns): Record<string, string> {
  const env = Object.create(null) as Record<string, string>;
  if (names === '') return env;
  const lines = values.split('\n');
  let next = 0;
  for (const line of names.split('\n')) {
    const key = unescapeLine(line.slice(1));
    env[key] = line.startsWith('@') ? columnValue(key, columns) : unescapeLine(lines[next++] ?? '');
  }
  return env;
}

function columnHas(key: string, value: string, event: Uevent): boolean {
  switch (key) {
    case 'ACTION':
      return value === event.action;
    case 'DEVPATH':
      return value === event.devpath;
    case 'SUBSYSTEM':
      return value === event.subsystem;
    case 'SEQNUM':
      return event.seqnum !== undefined && value === event.seqnum.toString();
    case 'SYNTH_UUID':
      return value === event.synthUuid;
    case 'MODALIAS':
    case 'DRIVER':
      return true;
    default:
      return false;
  }
}

function columnValue(key: string, columns: EnvColumns): string {
  switch (key) {
    case 'ACTION':
      return columns.action;
    case 'DEVPATH':
      return columns.devpath;
    case 'SUBSYSTEM':
      return columns.subsystem;
    case 'SEQNUM':
      return columns.seqnum?.toString() ?? '';
    case 'SYNTH_UUID':
      return columns.synthUuid ?? '';
    case 'MODALIAS':
      return columns.modalias ?? '';
    case 'DRIVER':
      return columns.driver ?? '';
    default:
      return '';
  }
}

function escapeLine(text: string): string {
  if (!text.includes('\n') && !text.includes('\\')) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function unescapeLine(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\([\\n])/g, (_, sign: string) => (sign === 'n' ? '\n' : '\\'));
}
