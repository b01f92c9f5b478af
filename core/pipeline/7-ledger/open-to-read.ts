import { adoptKept, rowsToAdopt } from './adopt-kept.ts';
import { adoptRows } from './adopt-rows.ts';
import { copyInMemory, openForReading, reading, type Connection } from './database.ts';
import { keptFileOf } from './kept-path.ts';
import { hasPieces, readKeptFile } from './kept-rows.ts';
import type { Row } from './row-queue.ts';
import { RowWriter } from './row-writer.ts';
import { findWriter } from './writer-lock.ts';

/**
 * Opens an existing ledger to read it as the next daemon would find it: where one was killed between keeping rows and writing them into
 * their tables, they are written into a copy in memory, since only a daemon may change the file.
 * @throws {UsherdError} FILE_UNREADABLE, LEDGER_DAMAGED, LEDGER_NEWER
 */
export function openToRead(file: string): Connection {
  const found = openForReading(file);
  const left = reading(file, () => rowsLeftBeside(file));
  const isUnfinished =
    found.readonly && reading(file, () => rowsToAdopt(found, left).length > 0) && findWriter(file) === undefined;
  const db = isUnfinished ? copyInMemory(found) : found;
  if (!db.readonly)
    reading(file, () => {
      adoptRows(db, Date.now);
      adoptKept(db, left, () => new RowWriter(db, Date.now));
    });
  return db;
}

/** What a daemon that runs has kept is on its way into the tables, and mostly there: only what one left that was killed is looked at. */
function rowsLeftBeside(file: string): readonly Row[] {
  const kept = keptFileOf(file);
  return hasPieces(kept) && findWriter(file) === undefined ? readKeptFile(kept) : [];
}
