import { asUnreadable, isSqliteError, makeLedgerFile, moveAside, type Connection, type SetAside } from './database.ts';
import { hideRow } from './hide-row.ts';
import { withOwnIds } from './late-ids.ts';
import { openLedgerFile, type LedgerFile, type LedgerFileSetting } from './ledger-file.ts';
import type { Row } from './row-queue.ts';
import { SerialHider } from './serial-hider.ts';
import { obtainSerialKey, serialKeyFile } from './serial-key.ts';
import { takeWriterLock, type WriterLock } from './writer-lock.ts';

/**
 * The place of a ledger on disk: its lock, and its file while that can be opened. Rows are written as they are to stand there: with the
 * file's own ids, and without serial numbers where they are to be hidden.
 */
export class LedgerStore {
  readonly path: string;
  /** Serial numbers and hardware addresses are written as keyed hashes from now on. */
  hidesSerials: boolean;
  readonly #setting: LedgerFileSetting;
  #lock: WriterLock | undefined;
  #file: LedgerFile | undefined;
  /** Where the file's sequence ended when it was opened, and rows were waiting for that. */
  #lateAfter: number | undefined;
  #isLate = false;
  #hider: SerialHider | undefined;

  constructor(path: string, setting: LedgerFileSetting & { readonly hidesSerials: boolean }) {
    this.path = path;
    this.hidesSerials = setting.hidesSerials;
    this.#setting = setting;
  }

  /** Undefined while the file is not open. */
  get db(): Connection | undefined {
    return this.#file?.db;
  }

  /**
   * Opens the file, if it is not; makes it when there is none, and sets a damaged one aside.
   * @throws {UsherdError} LEDGER_BUSY, LEDGER_NEWER, FILE_UNREADABLE
   */
  open(): LedgerFile {
    if (this.#file !== undefined) return this.#file;
    try {
      makeLedgerFile(this.path);
      this.#lock ??= takeWriterLock(this.path);
      this.#file = openLedgerFile(this.path, this.#setting);
      if (this.#isLate) this.#lateAfter ??= this.#file.lastId;
      return this.#file;
    } catch (error) {
      this.#isLate = true;
      this.#lock?.release();
      this.#lock = undefined;
      throw error;
    }
  }

  /** All rows or, when this throws, none of them. @throws {UsherdError} KEY_UNUSABLE, FILE_UNREADABLE of the key */
  write({ writer }: LedgerFile, rows: readonly Row[]): void {
    writer.write(this.#asWritten(rows));
  }

  /** Keeps rows on their way into the tables, as they are to stand there → whether that could be done. @throws as `write` */
  keep({ kept }: LedgerFile, rows: readonly Row[]): boolean {
    const newest = rows.at(-1);
    return newest === undefined || kept.add(this.#asWritten(rows), newest.id) === undefined;
  }

  /** Moves the file aside, because it turned out to be damaged; the next `open` makes a new one. @throws {UsherdError} FILE_UNREADABLE */
  setAside(reason: string): SetAside {
    this.#closeFile(false);
    try {
      return moveAside(this.path, reason);
    } catch (error) {
      throw asUnreadable(error, this.path);
    }
  }

  /** Copies the log into the file, as far as nobody reads it, and gives back the memory of a storm. */
  checkpoint(): void {
    try {
      this.#file?.db.pragma('wal_checkpoint(PASSIVE)');
      this.#file?.db.pragma('shrink_memory');
    } catch (error) {
      // Nothing is lost: all rows are in the log. Whether more can be written, the next row shows.
      if (!isSqliteError(error)) throw error;
    }
  }

  /** Puts all on disk and gives the file back; answers with why it could not be put there. `isWritten` says that no row waits any more. */
  close(isWritten: boolean): NodeJS.ErrnoException | undefined {
    const error = this.#closeFile(isWritten);
    this.#lock?.release();
    return error;
  }

  #closeFile(isWritten: boolean): NodeJS.ErrnoException | undefined {
    const error = this.#file?.log.close();
    this.#file?.db.close();
    this.#file?.kept.close(isWritten && error === undefined);
    this.#file = undefined;
    return error;
  }

  #asWritten(rows: readonly Row[]): readonly Row[] {
    const after = this.#lateAfter;
    const own = after === undefined ? rows : rows.map(row => withOwnIds(row, after));
    if (!this.hidesSerials) return own;
    const hider = (this.#hider ??= new SerialHider(obtainSerialKey(serialKeyFile(this.path))));
    return own.map(row => hideRow(row, hider));
  }
}
