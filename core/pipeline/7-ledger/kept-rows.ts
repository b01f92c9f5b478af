import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { PIECE_HEADER_BYTES } from '../../kernel/write-piece.ts';
import { noVariables } from '../../vocabulary/variables.ts';
import type { Row } from './row-queue.ts';

/**
 * What FILE-kept may grow to: rows of four full batches and more. It has to hold what was decided since the tables were last written and
 * on disk, which is a fraction of a second; when the disk takes that long, rows go into the tables at once.
 */
export const KEPT_MAX_BYTES = 8 * 1024 * 1024;

/** Rows → the payload of a piece. Its form is V8's, which reads what older ones wrote. Source: nodejs.org, v8.serialize. */
export function payloadOf(rows: readonly Row[]): Buffer {
  return serialize(rows);
}

/**
 * The pieces of FILE-kept → their rows, in order. Pieces stand one after another from the beginning, numbers are little-endian:
 *
 *     0            4            8                8 + length
 *     ┌────────────┬────────────┬───────────────┐┌────────────┬─
 *     │ u32 length │ u32 CRC-32 │ payload       ││ u32 length │ …
 *     └────────────┴────────────┴───────────────┘└────────────┴─
 *
 * The file has no end of its own: once all rows are in their tables and those on disk, the next piece is written over the first, and what
 * stood behind it stays. So the pieces end with the first that is no whole one, as a power cut leaves it, or whose newest row is no newer than
 * that of the piece before: that one was there before, and is of rows that stand in their tables. No piece of old can have newer rows, since each
 * piece goes up to the newest row there is, ids only rise, and the file is cut to nothing whenever it is opened for writing or goes aside.
 * @throws {SqliteError} SQLITE_CORRUPT, when a whole piece has no rows in it
 */
export function rowsOfPieces(bytes: Buffer): readonly Row[] {
  const rows: Row[] = [];
  let newest = 0;
  for (let at = 0; at + PIECE_HEADER_BYTES < bytes.length;) {
    const begin = at + PIECE_HEADER_BYTES;
    const end = begin + bytes.readUInt32LE(at);
    const payload = bytes.subarray(begin, end);
    // A file system may leave zeros where something was to be written: nothing, with the right sum of nothing.
    if (payload.length === 0 || end > bytes.length || crc32(payload) !== bytes.readUInt32LE(at + 4)) break;
    const piece = rowsOf(payload);
    const last = piece.at(-1)?.id ?? 0;
    if (last <= newest) break;
    rows.push(...piece);
    newest = last;
    at = end;
  }
  return rows;
}

/** Whether there is something in a file of pieces; after a clean end there is not. */
export function hasPieces(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** The rows in a file of pieces. @throws ErrnoException, and as `rowsOfPieces` */
export function readKeptFile(file: string): readonly Row[] {
  const fd = openSync(file, 'r');
  try {
    return readKeptRows(fd);
  } finally {
    closeSync(fd);
  }
}

/** The rows in an open file of pieces. @throws as `readKeptFile` */
export function readKeptRows(fd: number): readonly Row[] {
  const size = Math.min(fstatSync(fd).size, KEPT_MAX_BYTES);
  if (size === 0) return [];
  const bytes = Buffer.alloc(size);
  return rowsOfPieces(bytes.subarray(0, readSync(fd, bytes, 0, size, 0)));
}

/** A piece's payload → its rows. Damage is one thing, whoever finds it. @throws {SqliteError} SQLITE_CORRUPT */
export function rowsOf(payload: Buffer): readonly Row[] {
  let found: unknown;
  try {
    found = deserialize(payload);
  } catch (error) {
    throw noRows((error as Error).message);
  }
  if (!Array.isArray(found) || !found.every(isRow)) throw noRows('a piece has no rows in it');
  return found.map(row => (row.kind === 'uevent' ? { ...row, event: withPlainEnv(row.event) } : row));
}

function noRows(why: string): Error {
  return new Database.SqliteError(`kept rows: ${why}`, 'SQLITE_CORRUPT');
}

/** Who could write a sum that is right could write the ledger; the form is looked at so that a program's mistake is told as damage. */
function isRow(value: unknown): value is Row {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && 'id' in value && Number.isSafeInteger(value.id)
  );
}

/** An environment inherits nothing, and that is the one thing V8's form does not tell. */
function withPlainEnv<Event extends { readonly env: Readonly<Record<string, string>> }>(event: Event): Event {
  return { ...event, env: Object.assign(noVariables(), event.env) };
}
