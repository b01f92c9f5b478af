import type { Uevent } from '../1-intake/uevent.ts';
import { isIdentityKey } from './identity-keys.ts';

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

/** What is packed, and which of its keys identify a single device (identity-keys.ts). */
export interface PackedEvent extends PackedEnv {
  readonly identityKeys: readonly string[];
}

/** The columns that can give a value back. */
export type EnvColumns = Pick<Uevent, 'action' | 'devpath' | 'subsystem' | 'seqnum' | 'synthUuid'> & {
  readonly modalias: string | undefined;
  readonly driver: string | undefined;
};

/** Sets of names kept per number of names; a kind of device has one or two, so that a machine has a few dozen in all. */
const KNOWN_MAX_SETS = 32;
/** Names that a bit mask can tell of; udev's longest events have some 80, and build their names each time. */
const MASK_MAX_NAMES = 30;

interface NameSet {
  readonly keys: readonly string[];
  /** Bit N: a column has the value of name N. */
  readonly mask: number;
  readonly names: string;
  readonly identityKeys: readonly string[];
}

/** Packs environments. Remembers the sets of names it has seen, because building their text is the greater part of the work. */
export class EnvPacker {
  readonly #sets: NameSet[][] = [];

  /** `event.env` → its packed form; MODALIAS and DRIVER are expected in columns of the row, as the event's own fields are. */
  pack(event: Uevent): PackedEvent {
    const { env } = event;
    const keys = Object.keys(env);
    let mask = 0;
    let values = '';
    let hasValues = false;
    for (let n = 0; n < keys.length; n++) {
      const key = keys[n] ?? '';
      const value = env[key] ?? '';
      if (columnHas(key, value, event)) {
        mask |= 1 << n;
        continue;
      }
      if (hasValues) values += '\n';
      values += escapeLine(value);
      hasValues = true;
    }
    if (keys.length > MASK_MAX_NAMES)
      return { names: writeNames(keys, event), values, identityKeys: keys.filter(isIdentityKey) };
    const { names, identityKeys } = this.#names(keys, mask, event);
    return { names, values, identityKeys };
  }

  #names(keys: readonly string[], mask: number, event: Uevent): NameSet {
    const known = (this.#sets[keys.length] ??= []);
    const same = known.find(set => set.mask === mask && set.keys.every((key, n) => key === keys[n]));
    if (same) return same;
    const set = { keys, mask, names: writeNames(keys, event), identityKeys: keys.filter(isIdentityKey) };
    if (known.length >= KNOWN_MAX_SETS) known.length = 0;
    known.push(set);
    return set;
  }
}

function writeNames(keys: readonly string[], event: Uevent): string {
  const lines = keys.map(key => (columnHas(key, event.env[key] ?? '', event) ? `@${key}` : ` ${escapeLine(key)}`));
  return lines.join('\n');
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

/** A text as it stands in a line of `names` or `values`. */
export function escapeLine(text: string): string {
  if (!text.includes('\n') && !text.includes('\\')) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function unescapeLine(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\([\\n])/g, (_, sign: string) => (sign === 'n' ? '\n' : '\\'));
}
