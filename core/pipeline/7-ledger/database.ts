import Database from 'better-sqlite3';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { keptFileOf } from './kept-path.ts';
import { MIGRATIONS } from './migrations.ts';

export type Connection = Database.Database;

/** `USHR`: says that a SQLite file is a ledger. Source: sqlite.org/pragma.html#pragma_application_id. */
const APPLICATION_ID = 0x55534852;

/** A reader waits this long for the writer to finish a checkpoint or a recovery; both take milliseconds. */
const BUSY_TIMEOUT_MS = 2000;

/** The writer waits only this long, since all events wait with it; nobody else writes, and rows that were not taken are tried again. */
const WRITER_BUSY_TIMEOUT_MS = 50;

/** After a stop without warning a file up to this size is checked as a whole (about 20 ms); a larger one on demand, so that a start stays fast. */
const CHECKED_AT_START_MAX_BYTES = 16 * 1024 * 1024;

/** A ledger that can only be read as a whole is read up to this size: some two million events. */
const READ_WHOLE_MAX_BYTES = 256 * 1024 * 1024;

/** Pages SQLite keeps in memory: the newest of two indexes and the strings; its own default here is 16 MB. */
const CACHE_KIB = 4096;

/**
 * The log is copied into the file when it is this long, 32 MB; before that only when nothing happens (ledger.ts), since copying
 * holds up all events for 10 to 20 ms.
 */
const WAL_PAGES = 8000;

/** The write-ahead log is cut back to this size when a checkpoint has emptied it. */
const WAL_KEPT_BYTES = 8 * 1024 * 1024;

/**
 * How the writer's connection is set up, in one call: pragma() makes and compiles a function for the answer of each.
 * A decision must be on disk before the act, also when the power goes; whoever acts sees to that (keeping.ts), so that nobody else waits
 * for the disk, hence NORMAL. What was pruned is gone from the disk, too (secure_delete); only prunings delete.
 */
const WRITER_PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = ${WAL_PAGES};
  PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -${CACHE_KIB};
`;

/** A file that could not be read, where it is now, and what was wrong with it. */
export interface SetAside {
  readonly file: string;
  readonly movedTo: string;
  readonly reason: string;
}

export function isSqliteError(error: unknown): error is InstanceType<typeof Database.SqliteError> {
  return error instanceof Database.SqliteError;
}

/**
 * Makes the ledger's folder, and an empty file when there is none; others than the owner's group have no business in who plugged
 * in what.
 * @throws {UsherdError} FILE_UNREADABLE
 */
export function makeLedgerFile(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o750 });
    // Who took a ledger away meant its rows, too: in a new one their ids would be of others.
    if (!existsSync(file)) rmSync(keptFileOf(file), { force: true });
    closeSync(openSync(file, 'a', 0o640));
  } catch (error) {
    throw asUnreadable(error, file);
  }
}

/**
 * Opens the ledger at `file` for its one writer, makes its tables when it is empty, and brings an older one up to date. A damaged file is renamed to
 * FILE.damaged-TIMESTAMP, never overwritten, and a new one begun: the answer says so. The caller holds the writer's lock.
 * @throws {UsherdError} LEDGER_NEWER, FILE_UNREADABLE
 */
export function openForWriting(file: string): { readonly db: Connection; readonly setAside?: SetAside } {
  try {
    return { db: openSound(file) };
  } catch (error) {
    if (!isDamage(error)) throw asUnreadable(error, file);
    const setAside = moveAside(file, error.message);
    return { db: openSound(file), setAside };
  }
}

/**
 * Opens an existing ledger to read it, with or without a daemon that writes it. One of an older schema is read as a copy in memory that
 * was brought up to date, since only the writer may change the file.
 * @throws {UsherdError} FILE_UNREADABLE, LEDGER_DAMAGED, LEDGER_NEWER
 */
export function openForReading(file: string): Connection {
  if (!existsSync(file)) throw new UsherdError('FILE_UNREADABLE', `${file}: there is no ledger yet`, { file });
  return reading(file, () => {
    try {
      const db = checked(new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS }), file);
      return userVersion(db) === MIGRATIONS.length ? db : broughtUpToDate(db, file);
    } catch (error) {
      if (!needsWholeRead(error, file)) throw error;
      const db = checked(new Database(inMemory(readFileSync(file))), file);
      migrate(db);
      return db;
    }
  });
}

function checked(db: Connection, file: string): Connection {
  try {
    refuseNewer(db, file);
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID)
      throw new UsherdError('LEDGER_DAMAGED', `${file}: this is no ledger of usherd`, { file });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Even to read, SQLite wants to make FILE-shm beside a file whose mode is WAL. Where we may not write (a read-only file system,
 * another user's folder) and no log waits beside the file, all there is stands in the file.
 */
function needsWholeRead(error: unknown, file: string): boolean {
  const isRefused = isSqliteError(error) && /^SQLITE_(?:READONLY|CANTOPEN)/.test(error.code);
  const { size = 0 } = statSync(`${file}-wal`, { throwIfNoEntry: false }) ?? {};
  return isRefused && size === 0 && statSync(file).size <= READ_WHOLE_MAX_BYTES;
}

/** A ledger's bytes as SQLite can hold them in memory: the two that say WAL (file format, offsets 18 and 19) say rollback journal. */
function inMemory(bytes: Buffer): Buffer {
  return bytes.fill(1, 18, 20);
}

/** The same ledger in memory, to be changed there; one that is too large for that as it is. */
export function copyInMemory(db: Connection): Connection {
  if (bytesOf(db) > READ_WHOLE_MAX_BYTES) return db;
  const copy = new Database(inMemory(db.serialize()));
  db.close();
  return copy;
}

function bytesOf(db: Connection): number {
  return Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true }));
}

function broughtUpToDate(old: Connection, file: string): Connection {
  try {
    const sizeBytes = bytesOf(old);
    if (sizeBytes > READ_WHOLE_MAX_BYTES)
      throw new UsherdError(
        'FILE_UNREADABLE',
        `${file}: its schema is version ${userVersion(old)}, and it is too large to be brought up to date in memory; usher daemon does it once`,
        { file, sizeBytes },
      );
    const db = new Database(inMemory(old.serialize()));
    migrate(db);
    return db;
  } finally {
    old.close();
  }
}

/**
 * Runs a read of the ledger at `file`, and says it in our words when the file turns out to be damaged.
 * @throws {UsherdError} LEDGER_DAMAGED, FILE_UNREADABLE
 */
export function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isDamage(error) ? damagedError(error, file) : asUnreadable(error, file);
  }
}

function openSound(file: string): Connection {
  const db = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    refuseNewer(db, file);
    // A table that is not ours means that another program's file stands here; it is moved aside as a damaged one is.
    const isEmpty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
    if (!isEmpty && db.pragma('application_id', { simple: true }) !== APPLICATION_ID)
      throw new Database.SqliteError('this is no ledger of usherd', 'SQLITE_NOTADB');
    db.exec(WRITER_PRAGMAS);
    migrate(db);
    checkAfterHardStop(db, file);
    db.exec(`PRAGMA busy_timeout = ${WRITER_BUSY_TIMEOUT_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: Connection): void {
  const from = userVersion(db);
  if (from === MIGRATIONS.length) return;
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(from)) db.exec(step);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }).immediate();
}

function checkAfterHardStop(db: Connection, file: string): void {
  const hasOpenRun =
    db
      .prepare('SELECT 1 FROM run WHERE id = (SELECT max(id) FROM run) AND id NOT IN (SELECT run FROM run_end)')
      .get() !== undefined;
  if (!hasOpenRun || statSync(file).size > CHECKED_AT_START_MAX_BYTES) return;
  const answer = String(db.pragma('quick_check(1)', { simple: true }));
  if (answer !== 'ok') throw new Database.SqliteError(answer.replaceAll('\n', ' '), 'SQLITE_CORRUPT');
}

function refuseNewer(db: Connection, file: string): void {
  const version = userVersion(db);
  if (version > MIGRATIONS.length)
    throw new UsherdError(
      'LEDGER_NEWER',
      `${file}: its schema is version ${version}, this usherd knows up to ${MIGRATIONS.length}`,
      { file, version, known: MIGRATIONS.length },
    );
}

function userVersion(db: Connection): number {
  return Number(db.pragma('user_version', { simple: true }));
}

/** Whether a file could not be used because its disk is full, fails or is not writable yet: it may be later. */
export function isDiskRefusal(error: unknown): boolean {
  const cause = error instanceof UsherdError ? error.cause : error;
  if (isSqliteError(cause)) return /^SQLITE_(?:FULL|IOERR|CANTOPEN|READONLY)/.test(cause.code);
  const { code } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : {};
  return code !== undefined && ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(code);
}

export function isDamage(error: unknown): error is InstanceType<typeof Database.SqliteError> {
  return isSqliteError(error) && (error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT'));
}

function damagedError(error: InstanceType<typeof Database.SqliteError>, file: string): UsherdError {
  return new UsherdError('LEDGER_DAMAGED', `${file}: ${error.message}`, { file, sqlite: error.code }, error);
}

/** Renames a damaged file with its log and what was kept beside it, and makes an empty one in its place. */
export function moveAside(file: string, reason: string): SetAside {
  const movedTo = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
  // First what was kept: ids begin anew in a new file, and beside that it would be taken for what the new one lacks.
  if (existsSync(keptFileOf(file))) renameSync(keptFileOf(file), keptFileOf(movedTo));
  renameSync(file, movedTo);
  // The log belongs to the file: beside a new one it would be taken for the new one's.
  for (const suffix of ['-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, movedTo + suffix);
  closeSync(openSync(file, 'a', 0o640));
  return { file, movedTo, reason };
}

/** What the system or SQLite refused → our error; anything else is a bug and stays as it is. */
export function asUnreadable(error: unknown, file: string): unknown {
  if (error instanceof UsherdError || !(error instanceof Error)) return error;
  const isOfSystem = isSqliteError(error) || 'errno' in error;
  return isOfSystem ? new UsherdError('FILE_UNREADABLE', `${file}: ${error.message}`, { file }, error) : error;
}
