import type { Devpath } from '../../vocabulary/devpath.ts';
import type { Connection } from './database.ts';
import type { SpanEnd } from './driver-spans.ts';
import { deviceCondition, type SqlValue } from './history-filter.ts';

/** A device the record knows: one devpath with one modalias, so that another stick in the same port is another device. */
export interface KnownDevice {
  readonly devpath: Devpath;
  readonly modalias?: string;
  readonly subsystem: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly firstEntry: number;
  readonly lastEntry: number;
  readonly events: number;
  /** How often it was added: plugged in, or found by a walk of /sys. */
  readonly adds: number;
}

export interface DeviceFilter {
  /** As HistoryFilter has it. */
  readonly device?: string | undefined;
  readonly subsystem?: string | undefined;
  /** First seen at this moment or later. */
  readonly newSinceMs?: number | undefined;
  readonly limit?: number | undefined;
}

/** Devices, newest first. */
export function findDevices(db: Connection, filter: DeviceFilter): KnownDevice[] {
  const { device, subsystem, newSinceMs, limit = -1 } = filter;
  const parts = ['1'];
  const values: SqlValue[] = [];
  const want = (sql: string, value: SqlValue): void => {
    parts.push(sql);
    values.push(value);
  };
  if (device !== undefined) want(...deviceCondition(device, 'device.devpath'));
  if (subsystem !== undefined) want('device.subsystem = (SELECT id FROM str WHERE text = ?)', subsystem);
  if (newSinceMs !== undefined) want('first_ms >= ?', newSinceMs);
  return db
    .prepare<SqlValue[], Record<string, string | number | null>>(
      `SELECT path.text AS devpath, alias.text AS modalias, kind.text AS subsystem, first_ms, last_ms, first_id, last_id,
         events, adds
       FROM device JOIN str AS path ON path.id = devpath LEFT JOIN str AS alias ON alias.id = modalias
         JOIN str AS kind ON kind.id = subsystem
       WHERE ${parts.join(' AND ')} ORDER BY first_ms DESC, device.id DESC LIMIT ?`,
    )
    .all(...values, limit)
    .map(row => ({
      devpath: String(row['devpath']) as Devpath,
      ...(row['modalias'] !== null && { modalias: String(row['modalias']) }),
      subsystem: String(row['subsystem']),
      firstSeenMs: Number(row['first_ms']),
      lastSeenMs: Number(row['last_ms']),
      firstEntry: Number(row['first_id']),
      lastEntry: Number(row['last_id']),
      events: Number(row['events']),
      adds: Number(row['adds']),
    }));
}

/** What was connected at a moment. `asOfMs` is earlier than asked when nobody listened then: the record ends there. */
export interface Connected {
  readonly asOfMs: number;
  readonly devices: readonly ConnectedDevice[];
}

export interface ConnectedDevice {
  readonly devpath: Devpath;
  readonly subsystem: string;
  readonly modalias?: string;
  /** Who drove it then. */
  readonly driver?: string;
  /** The last event of it before that moment. */
  readonly entry: number;
}

/**
 * A device was there when its last event before the moment is no `remove`, it had not been renamed since, and the event is of the run
 * that listened then: a run begins with a walk of /sys, so what it did not see was not there. A run without such a walk (coldplug =
 * false) also counts what the earlier runs of its boot saw.
 */
export function findConnected(
  db: Connection,
  atMs: number,
  { device, subsystem }: Pick<DeviceFilter, 'device' | 'subsystem'> = {},
): Connected {
  const run = db
    .prepare<[number], { id: number; boot_id: string; ended_ms: number | null }>(
      `SELECT run.id, boot_id, run_end.at_ms AS ended_ms FROM run LEFT JOIN run_end ON run_end.run = run.id
       WHERE started_ms <= ? ORDER BY run.id DESC LIMIT 1`,
    )
    .get(atMs);
  if (run === undefined) return { asOfMs: atMs, devices: [] };
  const next = db.prepare<[number], number>('SELECT min(id) FROM run WHERE id > ?').pluck().get(run.id);
  const asOfMs = Math.min(atMs, run.ended_ms ?? lastTime(db, next ?? undefined) ?? atMs);
  const walked = db
    .prepare<[number, number, string], number>(
      `SELECT 1 FROM activity WHERE last_id > ? AND first_id < ?
         AND origin = (SELECT id FROM str WHERE text = ?) LIMIT 1`,
    )
    .get(run.id, next ?? Number.MAX_SAFE_INTEGER, 'coldplug');
  const from =
    walked === undefined
      ? (db.prepare<[string], number>('SELECT min(id) FROM run WHERE boot_id = ?').pluck().get(run.boot_id) ?? run.id)
      : run.id;
  const wanted: string[] = [];
  const values: SqlValue[] = [];
  if (device !== undefined) {
    const [where, value] = deviceCondition(device, 'device.devpath');
    wanted.push(`AND ${where}`);
    values.push(value);
  }
  if (subsystem !== undefined) {
    wanted.push('AND device.subsystem = (SELECT id FROM str WHERE text = ?)');
    values.push(subsystem);
  }
  const rows = db
    .prepare<[...SqlValue[], Record<string, number>], Record<string, string | number | null>>(
      `WITH path AS (SELECT devpath, max(last_id) AS last_id, max(last_ms) AS last_ms FROM device
         WHERE last_id > $from AND first_ms <= $at ${wanted.join(' ')} GROUP BY devpath),
       last AS MATERIALIZED (
         -- Of most devices the last event of all is meant, and need not be looked for.
         SELECT path.devpath, CASE WHEN last_ms <= $at AND EXISTS (SELECT 1 FROM uevent WHERE id = last_id) THEN last_id ELSE (
           SELECT id FROM uevent WHERE uevent.devpath = path.devpath AND at_ms <= $at ORDER BY at_ms DESC, id DESC LIMIT 1
         ) END AS entry FROM path)
       SELECT name.text AS devpath, kind.text AS subsystem, alias.text AS modalias, entry,
         (SELECT str.text FROM driver_span AS span JOIN str ON str.id = span.driver
          WHERE span.devpath = last.devpath AND from_ms <= $at AND (to_ms IS NULL OR to_ms > $at OR ended = 'restart')
          ORDER BY from_ms DESC LIMIT 1) AS driver
       FROM last JOIN uevent ON uevent.id = last.entry JOIN str AS name ON name.id = last.devpath
         JOIN str AS kind ON kind.id = uevent.subsystem LEFT JOIN str AS alias ON alias.id = uevent.modalias
       WHERE last.entry > $from AND uevent.action <> coalesce((SELECT id FROM str WHERE text = 'remove'), -1)
         AND NOT EXISTS (SELECT 1 FROM gone WHERE gone.devpath = last.devpath AND gone.at_ms <= $at AND gone.at_ms >= uevent.at_ms)
       ORDER BY name.text`,
    )
    .all(...values, { from, at: asOfMs });
  const devices = rows.map(row => ({
    devpath: String(row['devpath']) as Devpath,
    subsystem: String(row['subsystem']),
    ...(row['modalias'] !== null && { modalias: String(row['modalias']) }),
    ...(row['driver'] !== null && { driver: String(row['driver']) }),
    entry: Number(row['entry']),
  }));
  return { asOfMs, devices };
}

/** When the last event before row `beforeId` came; of all when it is undefined. */
function lastTime(db: Connection, beforeId: number | undefined): number | undefined {
  if (beforeId === undefined) return undefined;
  return db
    .prepare<[number], number>('SELECT at_ms FROM uevent WHERE id < ? ORDER BY id DESC LIMIT 1')
    .pluck()
    .get(beforeId);
}

/** A driver's time with a device; still going on when it has no end. */
export interface DriverSpan {
  readonly devpath: Devpath;
  readonly driver: string;
  readonly fromMs: number;
  readonly toMs?: number;
  readonly ended?: SpanEnd;
  /** The entry that showed it. */
  readonly entry: number;
}

export interface DriverFilter {
  readonly device?: string | undefined;
  readonly driver?: string | undefined;
  /** Spans that touch this time. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly limit?: number | undefined;
}

/** Who drove which devices when, newest first. */
export function findDrivers(db: Connection, filter: DriverFilter): DriverSpan[] {
  const { device, driver, sinceMs, untilMs, limit = -1 } = filter;
  const parts = ['1'];
  const values: SqlValue[] = [];
  const want = (sql: string, value: SqlValue): void => {
    parts.push(sql);
    values.push(value);
  };
  if (device !== undefined) want(...deviceCondition(device, 'span.devpath'));
  if (driver !== undefined) want('span.driver = (SELECT id FROM str WHERE text = ?)', driver);
  if (sinceMs !== undefined) want('(to_ms IS NULL OR to_ms > ?)', sinceMs);
  if (untilMs !== undefined) want('from_ms < ?', untilMs);
  return db
    .prepare<SqlValue[], Record<string, string | number | null>>(
      `SELECT path.text AS devpath, name.text AS driver, from_ms, to_ms, ended, from_id
       FROM driver_span AS span JOIN str AS path ON path.id = span.devpath JOIN str AS name ON name.id = span.driver
       WHERE ${parts.join(' AND ')} ORDER BY from_ms DESC, span.id DESC LIMIT ?`,
    )
    .all(...values, limit)
    .map(row => ({
      devpath: String(row['devpath']) as Devpath,
      driver: String(row['driver']),
      fromMs: Number(row['from_ms']),
      ...(row['to_ms'] !== null && { toMs: Number(row['to_ms']), ended: row['ended'] as SpanEnd }),
      entry: Number(row['from_id']),
    }));
}

/** One boot of the machine, as far as usherd ran in it. */
export interface Boot {
  readonly bootId: string;
  /** 0 is the newest, -1 the one before. */
  readonly number: number;
  readonly firstRunId: number;
  readonly startedAtMs: number;
  readonly runs: number;
  readonly kernelRelease: string;
}

export function findBoots(db: Connection): Boot[] {
  return db
    .prepare<[], Record<string, string | number>>(
      `SELECT boot_id, min(id) AS first, min(started_ms) AS started, count(*) AS runs, max(kernel) AS kernel
       FROM run GROUP BY boot_id ORDER BY first DESC`,
    )
    .all()
    .map((row, n) => ({
      bootId: String(row['boot_id']),
      number: n === 0 ? 0 : -n,
      firstRunId: Number(row['first']),
      startedAtMs: Number(row['started']),
      runs: Number(row['runs']),
      kernelRelease: String(row['kernel']),
    }));
}
