import Database from 'better-sqlite3';
import { deserialize, serialize } from 'node:v8';
import { noVariables } from '../../vocabulary/variables.ts';
import type { Connection } from './database.ts';
import { lastRowId } from './last-row.ts';
import type { Row } from './row-queue.ts';

/**
 * Rows on their way into the tables, as they wait in memory: what a decision rests on is kept in one piece before the act, which takes
 * a fraction of the time that all the tables take. They leave with the transaction that writes them where they belong, so that after a
 * clean end there are none. Their form is V8's, which reads what older ones wrote. Source: nodejs.org, v8.serialize.
 */
export class KeptRows {
  readonly #insert;
  readonly #delete;
  readonly #find;
  /** The newest of them: 0 when there are none, undefined while the file has not been asked. */
  #newest: number | undefined;

  constructor(db: Connection) {
    this.#insert = db.prepare('INSERT INTO kept VALUES (?, ?)');
    this.#find = db.prepare<[], number | null>('SELECT max(last) FROM kept').pluck();
    this.#delete = db.prepare('DELETE FROM kept WHERE last <= ?');
  }

  /** Keeps rows that follow those kept before. */
  add(rows: readonly Row[]): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    this.#insert.run(last.id, serialize(rows));
    this.#newest = last.id;
  }

  /** The rows up to this id stand in their tables. Use inside the transaction that wrote them. */
  release(lastId: number): void {
    this.#newest ??= this.#find.get() ?? 0;
    if (this.#newest === 0) return;
    this.#delete.run(lastId);
    if (this.#newest <= lastId) this.#newest = 0;
  }

  /** A transaction was rolled back. */
  forget(): void {
    this.#newest = undefined;
  }
}

/** Whether a daemon that was killed left rows that stand in no table, or one that runs has some on their way. */
export function hasKeptRows(db: Connection): boolean {
  return db.prepare('SELECT 1 FROM kept LIMIT 1').get() !== undefined;
}

/** Rows that were kept and stand in no table, in order. */
export function readKeptRows(db: Connection): readonly Row[] {
  const last = lastRowId(db);
  const pieces = db.prepare<[], Buffer>('SELECT rows FROM kept ORDER BY last').pluck().all();
  return pieces
    .flatMap(rowsOf)
    .filter(({ id }) => id > last)
    .map(row => (row.kind === 'uevent' ? { ...row, event: withPlainEnv(row.event) } : row));
}

/** Damage is one thing, whoever finds it. */
function rowsOf(piece: Buffer): readonly Row[] {
  try {
    return deserialize(piece) as Row[];
  } catch (error) {
    throw new Database.SqliteError(`kept rows: ${(error as Error).message}`, 'SQLITE_CORRUPT');
  }
}

/** An environment inherits nothing, and that is the one thing V8's form does not tell. */
function withPlainEnv<Event extends { readonly env: Readonly<Record<string, string>> }>(event: Event): Event {
  return { ...event, env: Object.assign(noVariables(), event.env) };
}
