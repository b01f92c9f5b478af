import { adoptRows } from './adopt-rows.ts';
import { copyInMemory, openForReading, reading, type Connection } from './database.ts';
import { hasKeptRows } from './kept-rows.ts';
import { RowWriter } from './row-writer.ts';
import { findWriter } from './writer-lock.ts';

/**
 * Opens an existing ledger to read it as the next daemon would find it: where one was killed between keeping rows and writing them into
 * their tables, they are written into a copy in memory, since only a daemon may change the file.
 * @throws {UsherdError} FILE_UNREADABLE, LEDGER_DAMAGED, LEDGER_NEWER
 */
export function openToRead(file: string): Connection {
  const found = openForReading(file);
  const isUnfinished = found.readonly && reading(file, () => hasKeptRows(found)) && findWriter(file) === undefined;
  const db = isUnfinished ? copyInMemory(found) : found;
  if (!db.readonly)
    reading(file, () => {
      adoptRows(db, Date.now);
      new RowWriter(db, Date.now).writeKept();
    });
  return db;
}
