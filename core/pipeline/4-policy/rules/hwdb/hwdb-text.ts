import { globMatches } from '../../../../kmod/lookup/glob.ts';
import type { Problem } from '../../../../vocabulary/place.ts';
import type { Hwdb } from './hwdb.ts';

/** One pattern of a hwdb file, with the properties of its record. */
export interface HwdbRecord {
  readonly pattern: string;
  /** In the order they stand; the line of each decides between two of one key. */
  readonly properties: readonly { readonly key: string; readonly value: string; readonly line: number }[];
}

/**
 * Text of a .hwdb file → its records: lines with patterns, then lines with ` KEY=VALUE`, then an empty line. `#` begins a comment, also
 * behind a value. Source: hwdb(7).
 */
export function parseHwdb(
  text: string,
  file: string,
): { records: readonly HwdbRecord[]; problems: readonly Problem[] } {
  const records: HwdbRecord[] = [];
  const problems: Problem[] = [];
  let patterns: string[] = [];
  let properties: { key: string; value: string; line: number }[] = [];
  const close = (line: number): void => {
    if (patterns.length > 0 && properties.length === 0) {
      problems.push({ place: { file, line }, message: 'the record ends without a property' });
    }
    const own = properties;
    if (own.length > 0) records.push(...patterns.map(pattern => ({ pattern, properties: own })));
    patterns = [];
    properties = [];
  };
  for (const [n, raw] of text.split('\n').entries()) {
    if (raw.startsWith('#')) continue;
    const line = (raw.split('#', 1)[0] ?? '').trimEnd();
    if (line === '') {
      close(n + 1);
      continue;
    }
    const equals = line.indexOf('=');
    if (!line.startsWith(' ')) {
      if (properties.length > 0) {
        problems.push({
          place: { file, line: n + 1 },
          message: 'found a pattern behind properties, wanted an empty line between',
        });
        close(n + 1);
      }
      patterns.push(line);
    } else if (patterns.length === 0) {
      problems.push({ place: { file, line: n + 1 }, message: 'found a property, wanted a pattern before it' });
    } else if (equals < 0 || line.slice(0, equals).trim() === '') {
      problems.push({ place: { file, line: n + 1 }, message: `found "${line.trim().slice(0, 40)}", wanted KEY=VALUE` });
    } else {
      properties.push({ key: line.slice(0, equals).trim(), value: line.slice(equals + 1), line: n + 1 });
    }
  }
  close(text.split('\n').length);
  return { records, problems };
}

interface Ranked extends HwdbRecord {
  readonly rank: number;
}

/** Files of hwdb.d, in the order they are read, as a database: what hwdb.bin is made from, for systems that have none. */
export class HwdbText implements Hwdb {
  /** By what stands before the first wildcard; so few of the patterns are tried. */
  readonly #byBeginning = new Map<string, Ranked[]>();
  readonly #lengths: readonly number[];

  constructor(files: readonly (readonly HwdbRecord[])[]) {
    for (const [rank, records] of files.entries()) {
      for (const record of records) {
        const wild = record.pattern.search(/[*?[\\]/);
        const beginning = wild < 0 ? record.pattern : record.pattern.slice(0, wild);
        const list = this.#byBeginning.get(beginning);
        if (list === undefined) this.#byBeginning.set(beginning, [{ ...record, rank }]);
        else list.push({ ...record, rank });
      }
    }
    this.#lengths = [...new Set([...this.#byBeginning.keys()].map(({ length }) => length))].toSorted((a, b) => a - b);
  }

  lookup(modalias: string): ReadonlyMap<string, string> {
    const best = new Map<string, { value: string; rank: number; line: number }>();
    for (const length of this.#lengths) {
      if (length > modalias.length) break;
      for (const { pattern, properties, rank } of this.#byBeginning.get(modalias.slice(0, length)) ?? []) {
        if (!globMatches(pattern, modalias, length, length)) continue;
        for (const { key, value, line } of properties) {
          const before = best.get(key);
          const isBeaten = before !== undefined && (rank < before.rank || (rank === before.rank && line < before.line));
          if (!isBeaten) best.set(key, { value, rank, line });
        }
      }
    }
    return new Map([...best].map(([key, { value }]) => [key, value]));
  }
}
