import { adoptKept } from './adopt-kept.ts';
import { adoptRows } from './adopt-rows.ts';
import {
  asUnreadable,
  isDamage,
  isSqliteError,
  moveAside,
  openForWriting,
  type Connection,
  type SetAside,
} from './database.ts';
import { KeptFile } from './kept-file.ts';
import { keptFileOf } from './kept-path.ts';
import { lastRowId } from './last-row.ts';
import { LogSync, type PutOnDisk } from './log-sync.ts';
import { RowWriter } from './row-writer.ts';

/** A ledger's file, open for its one writer. */
export interface LedgerFile {
  readonly db: Connection;
  /** Made for the first row: preparing its thirty statements takes a start 2 ms. */
  readonly writer: RowWriter;
  /** What decisions rest on until it stands in the tables. */
  readonly kept: KeptFile;
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
    let made: RowWriter | undefined;
    const writer = (): RowWriter => (made ??= new RowWriter(opened, now));
    const log = new LogSync(`${file}-wal`, putOnDisk);
    const { kept, lastId } = beginKept(opened, file, log, { writer, putOnDisk });
    return {
      db: opened,
      get writer() {
        return writer();
      },
      kept,
      log,
      lastId,
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

/**
 * Opens the file of kept rows. What a daemon had kept that was killed is in its tables, and those on disk, before anything is written over it.
 * @throws {UsherdError} FILE_UNREADABLE; {SqliteError}
 */
function beginKept(
  db: Connection,
  file: string,
  log: LogSync,
  { writer, putOnDisk }: { readonly writer: () => RowWriter; readonly putOnDisk: PutOnDisk | undefined },
): { readonly kept: KeptFile; readonly lastId: number } {
  let kept: KeptFile | undefined;
  try {
    kept = KeptFile.open(keptFileOf(file), putOnDisk);
    adoptKept(db, kept.left(), writer);
    if (kept.isLeft) {
      // Rows that stand in a table already may do so in memory only: what is on disk of them for certain is what is in here.
      const error = log.syncNow();
      if (error !== undefined) throw error;
      kept.forgetLeft();
    }
    return { kept, lastId: lastRowId(db) };
  } catch (error) {
    log.close();
    kept?.close(false);
    throw isSqliteError(error) ? error : asUnreadable(error, keptFileOf(file));
  }
}
