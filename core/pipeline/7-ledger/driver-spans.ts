import type { Uevent } from '../1-intake/uevent.ts';
import type { Connection } from './database.ts';

/** The ids of an event's texts, as its row has them. */
export interface EventIds {
  readonly action: number;
  readonly devpath: number;
  readonly subsystem: number;
  readonly modalias: number | null;
  readonly driver: number | null;
  readonly origin: number;
}

/** Why a driver's time with a device ended. `restart`: usherd stopped listening, and the device may have kept its driver. */
export type SpanEnd = 'unbind' | 'remove' | 'moved' | 'other-driver' | 'restart';

/**
 * Who drove which device from when to when, from the DRIVER that events carry: `bind` and coldplug say that a driver is there,
 * `unbind` and `remove` that it is not. Which spans are open is known in memory, so that other events cost a look-up.
 */
export class DriverSpans {
  readonly #db: Connection;
  readonly #insert;
  readonly #end;
  readonly #endAll;
  /** Device → its driver and the row of its open span; read from the file when it is first needed. */
  #open: Map<number, { readonly driver: number; readonly id: number }> | undefined;

  constructor(db: Connection) {
    this.#db = db;
    this.#insert = db.prepare('INSERT INTO driver_span VALUES (NULL, ?, ?, ?, ?, NULL, NULL)');
    this.#end = db.prepare('UPDATE driver_span SET to_ms = ?, ended = ? WHERE id = ?');
    this.#endAll = db.prepare(
      `UPDATE driver_span SET ended = 'restart', to_ms = max(from_ms, coalesce(
         (SELECT at_ms FROM uevent ORDER BY id DESC LIMIT 1), from_ms)) WHERE to_ms IS NULL`,
    );
  }

  event(id: number, { action, receivedAtMs }: Uevent, { devpath, driver }: EventIds): void {
    if (action === 'unbind' || action === 'remove') return this.end(devpath, receivedAtMs, action);
    if (driver === null) return undefined;
    const open = this.#opened().get(devpath);
    if (open?.driver === driver) return undefined;
    this.end(devpath, receivedAtMs, 'other-driver');
    const row = this.#insert.run(devpath, driver, id, receivedAtMs);
    this.#opened().set(devpath, { driver, id: Number(row.lastInsertRowid) });
    return undefined;
  }

  end(devpath: number, atMs: number, why: SpanEnd): void {
    const open = this.#opened().get(devpath);
    if (open === undefined) return;
    this.#end.run(atMs, why, open.id);
    this.#opened().delete(devpath);
  }

  endAll(): void {
    this.#endAll.run();
    this.#opened().clear();
  }

  forget(): void {
    this.#open = undefined;
  }

  #opened(): Map<number, { readonly driver: number; readonly id: number }> {
    if (this.#open !== undefined) return this.#open;
    const rows = this.#db
      .prepare<[], { devpath: number; driver: number; id: number }>(
        'SELECT devpath, driver, id FROM driver_span WHERE to_ms IS NULL',
      )
      .all();
    this.#open = new Map(rows.map(({ devpath, driver, id }) => [devpath, { driver, id }]));
    return this.#open;
  }
}
