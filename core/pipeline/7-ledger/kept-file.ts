import { constants, existsSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { PIECE_HEADER_BYTES, writePiece } from '../../kernel/write-piece.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import { KEPT_MAX_BYTES, payloadOf, readKeptRows } from './kept-rows.ts';
import { LentFd } from './lent-fd.ts';
import { LogSync, syncFolder, type PutOnDisk } from './log-sync.ts';
import type { Row } from './row-queue.ts';

/**
 * FILE-kept, open for the ledger's one writer: what a decision rests on is written here in one call before the act, which takes a fraction
 * of the time that all the tables take. Once the rows stand in their tables, on disk, the next are written over them: blocks that are
 * there already are put on disk without the file system's own records. The format is in kept-rows.ts.
 */
export class KeptFile {
  /** Puts it on disk. */
  readonly log: LogSync;
  readonly #fd: number;
  /** Where the next piece goes. */
  #end = 0;
  #newestId = 0;
  /** What is known to be on disk. */
  #put = { end: 0, newestId: 0 };
  /** Changes whenever pieces are given up, and with them what was to be learnt of putting them on disk. */
  #life = 0;
  #isToBeCut = false;

  private constructor(fd: LentFd, log: LogSync) {
    this.#fd = fd.fd;
    this.log = log;
  }

  /** Opens the file, and makes it when there is none. @throws ErrnoException */
  static open(file: string, putOnDisk?: PutOnDisk): KeptFile {
    const isNew = !existsSync(file);
    const fd = new LentFd(openSync(file, constants.O_RDWR | constants.O_CREAT, 0o640));
    try {
      if (isNew) syncFolder(file);
    } catch (error) {
      fd.close();
      throw error;
    }
    return new KeptFile(fd, new LogSync(file, putOnDisk, fd));
  }

  /** Id of the newest row in here, as whoever gave it calls it; 0 for none. */
  get newestId(): number {
    return this.#newestId;
  }

  /** Whether all that was written here is known to be on disk, here or in its tables. */
  get isPut(): boolean {
    return this.#put.newestId === this.#newestId;
  }

  /** Whether another writer left something. */
  get isLeft(): boolean {
    return fstatSync(this.#fd).size > 0;
  }

  /** The rows another writer left. @throws ErrnoException; {SqliteError} SQLITE_CORRUPT */
  left(): readonly Row[] {
    return readKeptRows(this.#fd);
  }

  /**
   * What another writer left stands in tables that are on disk. It is cut off: behind a torn piece there may be whole ones of rows
   * that never came to be, whose ids are given out again. @throws ErrnoException
   */
  forgetLeft(): void {
    ftruncateSync(this.#fd, 0);
  }

  /** Writes rows that follow those in here, the newest of which its giver calls `newestId` → why not, when they could not be. */
  add(rows: readonly Row[], newestId: number): ErrnoName | undefined {
    const payload = payloadOf(rows);
    if (this.#end + PIECE_HEADER_BYTES + payload.length > KEPT_MAX_BYTES) return 'EFBIG';
    const written = writePiece(this.#fd, this.#end, payload);
    // What a write left that was cut short is no piece, and the next goes over it.
    if (typeof written !== 'number') return written;
    this.#end += written;
    this.#newestId = newestId;
    return undefined;
  }

  /**
   * All that is in here now is about to be put on disk; call the answer with what came of it. What could not be put there is given up, since
   * the system says so only once: `newestId` goes back, and who keeps rows next writes them again. Source: fsync(2), "Errors".
   */
  awaitPut(): (isPut: boolean) => void {
    const [life, end, newestId] = [this.#life, this.#end, this.#newestId];
    return isPut => {
      if (life !== this.#life || newestId <= this.#put.newestId) return;
      if (isPut) {
        this.#put = { end, newestId };
        return;
      }
      this.#life += 1;
      this.#end = this.#put.end;
      this.#newestId = this.#put.newestId;
    };
  }

  /** The rows up to this one stand in their tables, on disk. When no other is in here, the next piece goes to the beginning. */
  settled(lastId: number): void {
    if (this.#newestId > lastId) return;
    this.#life += 1;
    this.#end = 0;
    this.#put = { end: 0, newestId: this.#newestId };
    if (this.#isToBeCut) this.cut();
  }

  /** What was pruned is to be gone from here, too: cuts the file to nothing, as soon as all that is in it stands in tables. */
  cut(): void {
    this.#isToBeCut = this.#end > 0;
    if (!this.#isToBeCut) this.#cutNow();
  }

  /** Gives the file back. With `isSettled` all that is in here stands in tables on disk: what is left is nothing. */
  close(isSettled: boolean): void {
    if (isSettled) this.#cutNow();
    this.log.close();
  }

  #cutNow(): void {
    try {
      ftruncateSync(this.#fd, 0);
    } catch {
      // Nothing is wrong with what is left: no table lacks these rows, and a reader takes none that stand in one.
    }
  }
}
