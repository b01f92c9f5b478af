import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Connection } from './database.ts';
import { numberField, optionalTextField, textField } from './row-content.ts';
import { ROW_SHAPES, type ChildShape, type Column, type RowShape } from './row-shapes.ts';
import { placeField, placesField } from './shaped-insert.ts';
import type { TextReader } from './text-reader.ts';

/** A row of the one sequence as it stands in the file now. */
export interface StoredRow {
  readonly id: number;
  readonly table: string;
  readonly content: string;
}

type Cell = number | string | null;

/** Reads rows back as the contents they were sealed with; what was changed in the file has another content. */
export class RowReader {
  readonly #texts: TextReader;
  readonly #tables;

  constructor(db: Connection, texts: TextReader) {
    this.#texts = texts;
    this.#tables = ROW_SHAPES.map(shape => ({
      shape,
      rows: db
        .prepare<[number, number], Cell[]>(
          `SELECT id, ${selected(shape)} FROM ${shape.table} WHERE id >= ? AND id <= ? ORDER BY id`,
        )
        .raw(),
      children: shape.children.map(child => ({
        shape: child,
        rows: db
          .prepare<[number], Cell[]>(
            `SELECT ${selected(child)} FROM ${child.table} WHERE ${child.parent} = ? ORDER BY ${child.order}`,
          )
          .raw(),
      })),
    }));
  }

  /** Rows with ids from `first` to `last`, in the order of their ids. */
  between(first: number, last: number): StoredRow[] {
    const found: StoredRow[] = [];
    for (const { shape, rows, children } of this.#tables) {
      for (const [id, ...cells] of rows.all(first, last)) {
        const below = children.map(child =>
          child.rows
            .all(Number(id))
            .map(each => this.#content(child.shape, each))
            .join(''),
        );
        found.push({ id: Number(id), table: shape.table, content: this.#content(shape, cells) + below.join('') });
      }
    }
    return found.toSorted((a, b) => a.id - b.id);
  }

  #content({ table, columns }: RowShape | ChildShape, cells: readonly Cell[]): string {
    let content = `${table}{`;
    for (let at = 0; at < columns.length; at++) {
      const column = columns[at];
      if (column !== undefined) content += this.#field(column, cells[at] ?? null);
    }
    return `${content}}`;
  }

  #field([, kind]: Column, cell: Cell): string {
    if (cell === null) return '-';
    switch (kind) {
      case 'text':
        return optionalTextField(this.#texts.text(Number(cell)));
      case 'either':
        return textField(typeof cell === 'number' ? this.#texts.text(cell) : cell);
      case 'inline':
        return textField(String(cell));
      case 'number':
        return numberField(Number(cell));
      case 'wide':
        return `${cell};`;
      case 'place':
        return placeField(this.#texts.place(Number(cell)));
      case 'places': {
        const ids = String(cell)
          .split(' ')
          .filter(id => id !== '');
        return placesField(ids.map(id => this.#texts.place(Number(id))));
      }
      default:
        return assertNever(kind);
    }
  }
}

function selected({ columns }: RowShape | ChildShape): string {
  return columns.map(([name, kind]) => (kind === 'wide' ? `CAST(${name} AS TEXT)` : name)).join(', ');
}
