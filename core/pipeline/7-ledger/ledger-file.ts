import { adoptRows } from './adopt-rows.ts';
import { isDamage, moveAside, openForWriting, type Connection, type SetAside } from './database.ts';
import { hasKeptRows, KeptRows } from './kept-rows.ts';
import { lastRowId } from './last-row.ts';
import { LogSync, type PutOnDisk } from './log-sync.ts';
import { RowWriter } from './row-writer.ts';

/** A ledger's file, open for its one writer. */
export interface LedgerFile {
  readonly db: Connection;
  /** Made for the first row: preparing its thirty statements takes a start 2 ms. */
  readonly writer: RowWriter;
  readonly kept: KeptRows;
  /** Puts what was written on disk. */
  readonly log: LogSync;
  /** Highest id of the one sequence; 0 in a new file. */
  readonly lastId: number;
  /** What was found damaged and moved aside. */
  readonly setAside: SetAside | undefined;
}

export interface LedgerFileSetting {
  readonly now: () => number;
  readonly putOnDisk?: PutOnDisk | undefined;
}

/**
 * Opens the ledger at `file`, an empty file at least, which is brought up to date when it is older, and set aside when it is damaged.
 * The caller holds the writer's lock.
 * @throws {UsherdError} LEDGER_NEWER, FILE_UNREADABLE
 */
export function openLedgerFile(file: string, { now, putOnDisk }: LedgerFileSetting): LedgerFile {
  const { db, setAside } = openForWriting(file);
  const begin = (opened: Connection, moved: SetAside | undefined): LedgerFile => {
    adoptRows(opened, now);
    const kept = new KeptRows(opened);
    let made: RowWriter | undefined;
    const writer = (): RowWriter => (made ??= new RowWriter(opened, now, kept));
    if (hasKeptRows(opened)) writer().writeKept();
    return {
      db: opened,
      get writer() {
        return writer();
      },
      kept,
      log: new LogSync(`${file}-wal`, putOnDisk),
      lastId: lastRowId(opened),
      setAside: moved,
    };
  };
  try {
    return begin(db, setAside);
  } catch (error) {
    db.close();
    // Damage in a page that nothing had looked at until now.
    if (setAside !== undefined || !isDamage(error)) throw error;
    const moved = moveAside(file, error.message);
    return begin(openForWriting(file).db, moved);
  }
}
