import Database from 'better-sqlite3';
import { UsherdError } from '../../errors.ts';
import { asUnreadable, isSqliteError, type Connection } from './database.ts';

/** The right to write one ledger, held until `release` or until the process ends. */
export interface WriterLock {
  release(): void;
}

/**
 * Takes the right to write the ledger at `file`. Node has no flock(2), but SQLite locks files: the lock is a begun and never
 * finished write transaction on FILE.lock, which the kernel takes back with the process however it ends. Readers of FILE.lock are
 * let in meanwhile, so that the holder's pid can be named. Nothing else may open FILE.lock in this process: closing any descriptor
 * of a file drops the process's fcntl(2) locks on it.
 * @throws {UsherdError} LEDGER_BUSY, FILE_UNREADABLE
 */
export function takeWriterLock(file: string): WriterLock {
  const db = new Database(`${file}.lock`, { timeout: 0 });
  try {
    // Its content is a hint for people; losing it in a power cut is no loss.
    db.pragma('synchronous = OFF');
    db.transaction(() => {
      db.exec('CREATE TABLE IF NOT EXISTS holder (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL)');
      db.prepare('INSERT INTO holder VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET pid = excluded.pid').run(
        process.pid,
      );
    }).immediate();
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const pid = readHolder(db);
    db.close();
    if (!isSqliteError(error) || !error.code.startsWith('SQLITE_BUSY')) throw asUnreadable(error, `${file}.lock`);
    const by = pid === undefined ? 'another process' : `process ${pid}`;
    throw new UsherdError('LEDGER_BUSY', `${file}: ${by} writes this ledger`, { file, pid }, error);
  }
  return { release: () => db.close() };
}

/** Pid of the process that writes the ledger at `file` now, or undefined when nobody does. */
export function findWriter(file: string): number | undefined {
  let db: Connection | undefined;
  try {
    db = new Database(`${file}.lock`, { timeout: 0, fileMustExist: true });
    const pid = readHolder(db);
    try {
      db.exec('BEGIN IMMEDIATE');
      return undefined;
    } catch (error) {
      if (isSqliteError(error) && error.code.startsWith('SQLITE_BUSY')) return pid;
      // Who may only read the lock cannot try it; whether the process is there is the next best answer.
      return pid !== undefined && processIsThere(pid) ? pid : undefined;
    }
  } catch {
    return undefined;
  } finally {
    db?.close();
  }
}

function readHolder(db: Connection): number | undefined {
  try {
    const pid = db.prepare('SELECT pid FROM holder').pluck().get();
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    return undefined;
  }
}

function processIsThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
