import type { Row } from './row-queue.ts';

/**
 * Ids given out while the file cannot be opened, and so where its sequence ends is not known, begin here: no file has as many rows.
 * They are turned into the file's own when a row is written.
 */
export const LATE_IDS_BEGIN = 2 ** 50;

/** The id a row has in a file whose sequence ended at `lastId` when it was opened late. */
export function ownId(id: number, lastId: number): number {
  return id < LATE_IDS_BEGIN ? id : id - LATE_IDS_BEGIN + 1 + lastId;
}

/** A row with the file's own ids, its own and those it names. */
export function withOwnIds(row: Row, lastId: number): Row {
  const own = <Id extends number | undefined>(id: Id): Id => (id === undefined ? undefined : ownId(id, lastId)) as Id;
  const id = own(row.id);
  switch (row.kind) {
    case 'uevent':
    case 'run-end':
    case 'incident':
    case 'request':
      return { ...row, id, run: own(row.run) } as Row;
    case 'decision':
    case 'ending':
    case 'bind':
      return { ...row, id, entry: own(row.entry) } as Row;
    case 'pending':
      return { ...row, id, item: { ...row.item, entry: own(row.item.entry) } };
    case 'pending-end':
      return { ...row, id, pending: own(row.pending) };
    default:
      return { ...row, id };
  }
}
