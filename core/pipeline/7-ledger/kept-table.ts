import type { Connection } from './database.ts';
import { rowsOf } from './kept-rows.ts';
import type { Row } from './row-queue.ts';

/*
 * Until schema 6 rows on their way into their tables were kept in a table, `kept`, a piece a row. Nothing writes it any more; what a daemon left there that was
 * killed is taken over by the next.
 */

/** The rows in the table, in order. @throws {SqliteError} SQLITE_CORRUPT */
export function readKeptTable(db: Connection): readonly Row[] {
  return db.prepare<[], Buffer>('SELECT rows FROM kept ORDER BY last').pluck().all().flatMap(rowsOf);
}

/** Use inside the transaction that writes its rows where they belong. */
export function emptyKeptTable(db: Connection): void {
  db.exec('DELETE FROM kept');
}
