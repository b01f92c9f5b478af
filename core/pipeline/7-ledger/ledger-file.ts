import { adoptRows } from './adopt-rows.ts';
import { isDamage, moveAside, openForWriting, type Connection, type SetAside } from './database.ts';
import { lastRowId } from './last-row.ts';
import { RowWriter } from './row-writer.ts';

/** A ledger's file, open for its one writer. */
export interface LedgerFile {
  readonly db: Connection;
  readonly writer: RowWriter;
  /** Highest id of the one sequence; 0 in a new file. */
  readonly lastId: number;
  /** What was found damaged and moved aside. */
  readonly setAside: SetAside | undefined;
}

/**
 * Opens the ledger at `file`, an empty file at least, which is brought up to date when it is older, and set aside when it is damaged.
 * The caller holds the writer's lock.
 * @throws {UsherdError} LEDGER_NEWER, FILE_UNREADABLE
 */
export function openLedgerFile(file: string, now: () => number): LedgerFile {
  const { db, setAside } = openForWriting(file);
  try {
    return begin(db, setAside, now);
  } catch (error) {
    db.close();
    // Damage in a page that nothing had looked at until now.
    if (setAside !== undefined || !isDamage(error)) throw error;
    const moved = moveAside(file, error.message);
    return begin(openForWriting(file).db, moved, now);
  }
}

function begin(db: Connection, setAside: SetAside | undefined, now: () => number): LedgerFile {
  adoptRows(db, now);
  return { db, writer: new RowWriter(db, now), lastId: lastRowId(db), setAside };
}
