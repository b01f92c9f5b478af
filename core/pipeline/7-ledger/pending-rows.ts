import type { PendingItem } from '../4-policy/pending-queue.ts';
import type { Connection } from './database.ts';

/** How the waiting of a device ended. */
export type PendingEnd = 'approved' | 'denied' | 'expired' | 'unplugged' | 'changed' | 'crowded-out';

/** Devices that still wait for an answer, oldest first. */
export function readPending(db: Connection): readonly PendingItem[] {
  const rows = db
    .prepare<[], { id: number; entry: number; at_ms: number; facts: string }>(
      'SELECT * FROM pending WHERE id NOT IN (SELECT pending FROM pending_end) ORDER BY id',
    )
    .all();
  return rows.map(({ id, entry, at_ms: heldAtMs, facts }) => ({
    ...(JSON.parse(facts) as Omit<PendingItem, 'id' | 'entry' | 'heldAtMs'>),
    id,
    entry,
    heldAtMs,
  }));
}
