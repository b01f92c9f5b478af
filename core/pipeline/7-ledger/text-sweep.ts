import type { Connection } from './database.ts';
import { lastRowId } from './last-row.ts';
import { ROW_SHAPES, type Column } from './row-shapes.ts';

/** Rows looked through, or texts taken, at once: some 0.1 s in which no event is written. */
export const SWEPT_AT_ONCE = 20_000;
/** A bit for each text; 64 MB of them. */
const TEXTS_MAX = 2 ** 29;

/** Columns with texts of the tables that are made from the rows. Whatever is in `tag` is in `tally`, too. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  activity: ['subsystem', 'action', 'origin'],
  device: ['devpath', 'modalias', 'subsystem'],
  gone: ['devpath'],
  driver_span: ['devpath', 'driver'],
  tally: ['what'],
  identity: ['what', 'devpath'],
  place: ['file'],
};

interface Marked {
  readonly table: string;
  /** The column with a row's number, or its parent's. */
  readonly key: string;
  readonly columns: readonly string[];
}

/**
 * Finds the texts that no row speaks of any more, once rows were pruned, and takes them: what a device said is gone then, and its room is
 * used again. It goes in steps between which rows may be written, but none pruned. Use `take` only inside a transaction, and have the writer
 * forget what it knows after it.
 */
export class TextSweep {
  readonly #db: Connection;
  readonly #bits: Uint8Array;
  readonly #lastText: number;
  readonly #lastRow: number;
  /** Rows up to this one were looked through. */
  #looked = 0;
  #taken = 0;

  constructor(db: Connection) {
    this.#db = db;
    this.#lastText = Math.min(TEXTS_MAX, Number(db.prepare('SELECT max(id) FROM str').pluck().get() ?? 0));
    this.#lastRow = lastRowId(db);
    this.#bits = new Uint8Array((this.#lastText >> 3) + 1);
  }

  /** Looks through the next of the rows there were at the beginning → whether there are more. */
  look(): boolean {
    this.#lookAt(Math.min(this.#lastRow, this.#looked + SWEPT_AT_ONCE));
    return this.#looked < this.#lastRow;
  }

  /** Takes the next texts that nothing speaks of → how many; undefined when all were gone through. */
  take(): number | undefined {
    if (this.#taken >= this.#lastText) return undefined;
    // What was written since then may speak of them.
    this.#lookAt(lastRowId(this.#db));
    for (const [table, columns] of Object.entries(MADE))
      for (const column of columns) this.#mark(`SELECT DISTINCT ${column} FROM ${table}`);
    const remove = this.#db.prepare<[number]>('DELETE FROM str WHERE id = ?');
    const last = Math.min(this.#lastText, this.#taken + SWEPT_AT_ONCE);
    let count = 0;
    for (let id = this.#taken + 1; id <= last; id++)
      if (((this.#bits[id >> 3] ?? 0) & (1 << (id & 7))) === 0) count += remove.run(id).changes;
    this.#taken = last;
    return count;
  }

  #lookAt(last: number): void {
    for (const { table, key, columns } of MARKED)
      for (const column of columns)
        this.#mark(`SELECT DISTINCT ${column} FROM ${table} WHERE ${key} > ? AND ${key} <= ?`, this.#looked, last);
    this.#looked = Math.max(this.#looked, last);
  }

  #mark(sql: string, ...values: readonly number[]): void {
    const ids = this.#db.prepare<number[]>(sql).pluck();
    // A text that stands in its row is no number, and later ones are not looked at.
    for (const id of ids.iterate(...values))
      if (typeof id === 'number' && id <= this.#lastText)
        this.#bits[id >> 3] = (this.#bits[id >> 3] ?? 0) | (1 << (id & 7));
  }
}

const MARKED: readonly Marked[] = ROW_SHAPES.flatMap(({ table, columns, children }): readonly Marked[] => [
  { table, key: 'id', columns: textsOf(columns) },
  ...children.map(child => ({ table: child.table, key: child.parent, columns: textsOf(child.columns) })),
]).filter(({ columns }) => columns.length > 0);

function textsOf(columns: readonly Column[]): readonly string[] {
  return columns.filter(([, kind]) => kind === 'text' || kind === 'either').map(([name]) => name);
}
