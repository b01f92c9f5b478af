import type { Connection } from './database.ts';
import { emptyKeptTable, readKeptTable } from './kept-table.ts';
import { lastRowId } from './last-row.ts';
import type { Row } from './row-queue.ts';
import type { RowWriter } from './row-writer.ts';

/** Rows that were kept, in the file beside the ledger (`left`) or in its table of before, and that stand in no table where they belong. */
export function rowsToAdopt(db: Connection, left: readonly Row[]): readonly Row[] {
  return withoutWritten(db, [...readKeptTable(db), ...left]);
}

/** Writes the rows into their tables that a daemon kept which was killed before it had written them. `writer` is asked for if there are any. */
export function adoptKept(db: Connection, left: readonly Row[], writer: () => RowWriter): void {
  const before = readKeptTable(db);
  const rows = withoutWritten(db, [...before, ...left]);
  if (rows.length === 0 && before.length === 0) return;
  db.transaction(() => {
    if (rows.length > 0) writer().write(rows);
    emptyKeptTable(db);
  }).immediate();
}

function withoutWritten(db: Connection, rows: readonly Row[]): readonly Row[] {
  if (rows.length === 0) return rows;
  const last = lastRowId(db);
  return rows.filter(({ id }) => id > last);
}
