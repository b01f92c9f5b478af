import type { Place } from '../../vocabulary/place.ts';
import type { Connection } from './database.ts';
import { ROW_SHAPES, type ChildShape, type Column, type RowShape } from './row-shapes.ts';
import { TextReader } from './text-reader.ts';
import { unpackEnv } from './uevent-row.ts';

/**
 * One row of the one sequence for another program: what happened is told in the order it happened, once. `offset` is its number;
 * `kind` is what it is, `atMs` when it happened, and `facts` has the columns of its table with texts and places resolved. Of a
 * `uevent`, `env` has the whole environment.
 */
export interface RowRecord {
  readonly offset: number;
  readonly kind: string;
  readonly atMs: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What kinds of records there are. */
export const RECORD_KINDS: readonly string[] = ROW_SHAPES.map(({ table }) => kindOf(table));

type Cell = number | string | null;

/** Reads rows as records, page by page, from `first` to `last`. */
export function* readRecords(db: Connection, first: number, last: number): IterableIterator<RowRecord> {
  const texts = new TextReader(db);
  const tables = ROW_SHAPES.map(shape => ({
    shape,
    rows: db.prepare<[number, number], Cell[]>(sqlOf(shape, 'id >= ? AND id <= ? ORDER BY id', 'id')).raw(),
    children: shape.children.map(child => ({
      shape: child,
      rows: db
        .prepare<[number], Cell[]>(sqlOf(child, `${child.parent} = ? ORDER BY ${child.order}`, child.parent))
        .raw(),
    })),
  }));
  const PAGE_ROWS = 1000;
  const nextRow = db
    .prepare<unknown[], number | null>(
      `SELECT min(id) FROM (${ROW_SHAPES.map(({ table }) => `SELECT min(id) AS id FROM ${table} WHERE id >= ?`).join(' UNION ALL ')})`,
    )
    .pluck();
  // Numbers may be far apart: what was lost or pruned leaves a gap.
  const rowFrom = (id: number): number => nextRow.get(...ROW_SHAPES.map(() => id)) ?? Number.POSITIVE_INFINITY;
  for (let from = rowFrom(first); from <= last; from = rowFrom(from + PAGE_ROWS)) {
    const page: RowRecord[] = [];
    for (const { shape, rows, children } of tables) {
      for (const cells of rows.all(from, Math.min(last, from + PAGE_ROWS - 1))) {
        const offset = Number(cells[0]);
        const facts = factsOf(shape, cells, texts);
        for (const child of children)
          facts[child.shape.table] = child.rows.all(offset).map(each => factsOf(child.shape, each, texts));
        page.push(recordOf(shape.table, offset, facts));
      }
    }
    yield* page.toSorted((a, b) => a.offset - b.offset);
  }
}

function recordOf(table: string, offset: number, facts: Record<string, unknown>): RowRecord {
  const { at_ms: atMs, started_ms: startedMs, env_keys: names, env_values: values, facts: json, ...rest } = facts;
  const record = { offset, kind: kindOf(table), atMs: Number(atMs ?? startedMs ?? 0) };
  if (typeof json === 'string') {
    const { kind: incident, ...columns } = rest;
    return {
      ...record,
      facts: { ...columns, ...(incident !== undefined && { incident }), ...(JSON.parse(json) as object) },
    };
  }
  if (table !== 'uevent') return { ...record, facts: rest };
  const columns = rest as unknown as Parameters<typeof unpackEnv>[1];
  return {
    ...record,
    facts: { ...rest, env: unpackEnv({ names: textOf(names), values: textOf(values) }, columns) },
  };
}

function textOf(fact: unknown): string {
  return typeof fact === 'string' ? fact : '';
}

function kindOf(table: string): string {
  return table.replaceAll('_', '-');
}

function sqlOf({ table, columns }: RowShape | ChildShape, where: string, key: string): string {
  const selected = columns.map(([name, kind]) => (kind === 'wide' ? `CAST(${name} AS TEXT)` : name));
  return `SELECT ${[key, ...selected].join(', ')} FROM ${table} WHERE ${where}`;
}

function factsOf(
  { columns }: RowShape | ChildShape,
  cells: readonly Cell[],
  texts: TextReader,
): Record<string, unknown> {
  const facts: Record<string, unknown> = {};
  for (const [n, [name, kind]] of columns.entries()) {
    const fact = factOf(kind, cells[n + 1] ?? null, texts);
    if (fact !== undefined) facts[name] = fact;
  }
  return facts;
}

function factOf(
  kind: Column[1],
  cell: Cell,
  texts: TextReader,
): string | number | bigint | Place | Place[] | undefined {
  if (cell === null) return undefined;
  switch (kind) {
    case 'text':
      return texts.text(Number(cell));
    case 'either':
      return typeof cell === 'number' ? texts.text(cell) : cell;
    case 'place':
      return texts.place(Number(cell));
    case 'places':
      return String(cell)
        .split(' ')
        .filter(id => id !== '')
        .map(id => texts.place(Number(id)));
    case 'wide':
      return BigInt.asUintN(64, BigInt(cell));
    default:
      return cell;
  }
}
