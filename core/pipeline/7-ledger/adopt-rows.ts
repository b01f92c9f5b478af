import type { Connection } from './database.ts';
import { EntryReader, ENTRY_COLUMNS, ENTRY_TABLES, type EntryRow } from './entry-reader.ts';
import type { EventIds } from './driver-spans.ts';
import { lastRowId } from './last-row.ts';
import { RollUps } from './roll-ups.ts';
import { RowReader } from './row-reader.ts';
import { SealWriter } from './seals.ts';
import { Strings } from './strings.ts';
import { tagsOf } from './tags.ts';
import { TextReader } from './text-reader.ts';

/** Rows per seal of rows that were written before there were seals. */
const ADOPTED_AT_ONCE = 1000;

/**
 * Seals the rows of a ledger from before there were seals and makes what questions are answered from, all in one transaction. That they are what was
 * written then, nobody can tell; from now on a change shows.
 */
export function adoptRows(db: Connection, now: () => number): void {
  const isSealed = db.prepare('SELECT 1 FROM seal LIMIT 1').get() !== undefined;
  const lastRow = lastRowId(db);
  if (isSealed || lastRow === 0) return;
  db.transaction(() => {
    const texts = new TextReader(db);
    const [rows, seals, rollUps] = [
      new RowReader(db, texts),
      new SealWriter(db, now),
      new RollUps(db, new Strings(db)),
    ];
    const entries = new EntryReader(db);
    const page = db.prepare<[number, number], EntryRow & EventIds>(
      `SELECT ${ENTRY_COLUMNS} FROM ${ENTRY_TABLES} WHERE uevent.id BETWEEN ? AND ? ORDER BY uevent.id`,
    );
    for (let first = 1; first <= lastRow; first += ADOPTED_AT_ONCE) {
      const last = first + ADOPTED_AT_ONCE - 1;
      for (const { id, table, content } of rows.between(first, last)) {
        if (table === 'run') rollUps.runBegins();
        seals.add(id, content);
      }
      for (const row of page.all(first, last)) {
        const entry = entries.read(row, undefined);
        rollUps.event(row.id, entry.event, row);
        if (entry.deliberation)
          for (const tag of tagsOf(entry.deliberation)) rollUps.tag(row.id, tag, entry.decidedAtMs ?? 0);
        if (entry.result) rollUps.tag(row.id, `result=${entry.result}`, entry.endedAtMs ?? 0);
      }
      rollUps.write();
      seals.seal();
    }
  }).immediate();
}
