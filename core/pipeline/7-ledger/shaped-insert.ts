import type { Place } from '../../vocabulary/place.ts';
import type { Connection } from './database.ts';
import { numberField, optionalTextField } from './row-content.ts';
import type { Column, ColumnKind } from './row-shapes.ts';
import type { Strings } from './strings.ts';

/** A value as the stages have it, before its texts and places become ids. */
export type Value = string | number | Place | readonly Place[] | null | undefined;

/** Writes rows of one table, and says what each holds. Use only inside a transaction. */
export class ShapedInsert {
  readonly #head: string;
  readonly #kinds: readonly ColumnKind[];
  /** Bound anew for each row. */
  readonly #cells: (string | number | null)[];
  readonly #strings: Strings;
  readonly #insert;

  constructor(db: Connection, strings: Strings, table: string, columns: readonly Column[]) {
    this.#head = `${table}{`;
    this.#kinds = columns.map(([, kind]) => kind);
    this.#cells = Array.from({ length: columns.length + 1 }, () => null);
    this.#strings = strings;
    // Every table begins with its own id or its parent's, which the shape leaves out.
    const marks = Array.from({ length: columns.length + 1 }, () => '?').join(', ');
    this.#insert = db.prepare<(string | number | null)[]>(`INSERT INTO ${table} VALUES (${marks})`);
  }

  /** Writes one row below `id` → its content. */
  write(id: number, values: readonly Value[]): string {
    const kinds = this.#kinds;
    const cells = this.#cells;
    let content = this.#head;
    cells[0] = id;
    for (let at = 0; at < kinds.length; at++) {
      const value = values[at];
      if (value === null || value === undefined) {
        cells[at + 1] = null;
        content += '-';
      } else if (typeof value === 'number') {
        cells[at + 1] = value;
        content += `${value};`;
      } else if (typeof value === 'string') {
        cells[at + 1] = kinds[at] === 'inline' ? value : this.#strings.intern(value);
        content += `${value.length}:${value}`;
      } else if (isPlace(value)) {
        cells[at + 1] = this.#strings.internPlace(value);
        content += placeField(value);
      } else {
        cells[at + 1] = value.map(place => this.#strings.internPlace(place)).join(' ');
        content += placesField(value);
      }
    }
    this.#insert.run(...cells);
    return `${content}}`;
  }
}

function isPlace(value: Place | readonly Place[]): value is Place {
  return !Array.isArray(value);
}

/** A place's content: file, line, column, offset in bytes. */
export function placeField({ file, line, column, offsetBytes }: Place): string {
  return `${optionalTextField(file)}${numberField(line)}${numberField(column)}${numberField(offsetBytes)}`;
}

export function placesField(places: readonly Place[]): string {
  return `${numberField(places.length)}${places.map(placeField).join('')}`;
}
