import { ACTIONS, type Origin, type Uevent } from '../1-intake/uevent.ts';
import type { Connection } from './database.ts';
import { DriverSpans, type EventIds } from './driver-spans.ts';
import type { Strings } from './strings.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Devices whose row is known without asking; more than a machine has, some 5 MB. When full it is emptied. */
const KNOWN_MAX_DEVICES = 65_536;
/** Serial numbers known to be noted with their device; when full it is emptied, and the file is asked again. */
const KNOWN_MAX_IDENTITIES = 16_384;

const ORIGINS: readonly Origin['kind'][] = ['kernel', 'injected', 'udev', 'coldplug', 'resync', 'replay'];

/** Room for an id of a text in a number that holds two; a ledger with more texts than this would have 50 GB of them. */
const IDS_MAX = 2 ** 26;

interface Active {
  readonly hour: number;
  readonly subsystem: number;
  readonly action: number;
  readonly origin: number;
  readonly firstId: number;
  lastId: number;
  n: number;
}

interface SeenDevice {
  readonly devpath: number;
  readonly modalias: number;
  readonly subsystem: number;
  readonly firstId: number;
  readonly firstMs: number;
  lastId: number;
  lastMs: number;
  events: number;
  adds: number;
}

/**
 * Keeps the tables that questions are answered from (migrations.ts, step 3). Events are counted in memory and written once per
 * transaction, so that a storm costs a row per device and kind, not per event. Use only inside a transaction, and call `forget` when
 * that was rolled back.
 */
export class RollUps {
  readonly #strings: Strings;
  readonly #spans: DriverSpans;
  readonly #knownDevices = new Map<number, number>();
  readonly #knownIdentities = new Set<number>();
  #active = new Map<number, Active>();
  #activeHour = Number.NaN;
  #earlierHours: Active[] = [];
  #seen = new Map<number, SeenDevice>();
  #tallies = new Map<number, number>();
  readonly #addActivity;
  readonly #findDevice;
  readonly #insertDevice;
  readonly #updateDevice;
  readonly #insertGone;
  readonly #insertTag;
  readonly #addTally;
  readonly #insertIdentity;

  constructor(db: Connection, strings: Strings) {
    this.#strings = strings;
    this.#spans = new DriverSpans(db);
    this.#addActivity = db.prepare(
      `INSERT INTO activity VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET n = n + excluded.n, last_id = excluded.last_id`,
    );
    this.#findDevice = db
      .prepare<[number, number], number>('SELECT id FROM device WHERE devpath = ? AND modalias = ?')
      .pluck();
    this.#insertDevice = db.prepare('INSERT INTO device VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#updateDevice = db.prepare(
      'UPDATE device SET last_id = ?, last_ms = ?, events = events + ?, adds = adds + ? WHERE id = ?',
    );
    this.#insertGone = db.prepare('INSERT OR IGNORE INTO gone VALUES (?, ?)');
    this.#insertIdentity = db.prepare('INSERT OR IGNORE INTO identity VALUES (?, ?, ?)');
    this.#insertTag = db.prepare('INSERT INTO tag VALUES (?, ?)');
    this.#addTally = db.prepare('INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n');
  }

  event(id: number, event: Uevent, ids: EventIds): void {
    this.#countActivity(id, event, ids);
    const key = ids.devpath * IDS_MAX + (ids.modalias ?? 0);
    const seen = this.#seen.get(key);
    const adds = event.action === 'add' ? 1 : 0;
    if (seen === undefined) {
      const { devpath, modalias, subsystem } = ids;
      const atMs = event.receivedAtMs;
      const first = { firstId: id, firstMs: atMs, lastId: id, lastMs: atMs, events: 1, adds };
      this.#seen.set(key, { devpath, modalias: modalias ?? 0, subsystem, ...first });
    } else {
      seen.lastId = id;
      seen.lastMs = event.receivedAtMs;
      seen.events += 1;
      seen.adds += adds;
    }
    this.#spans.event(id, event, ids);
    if (event.action === 'move') this.#moved(event);
  }

  /** A device at this path said this of itself (`ID_SERIAL_SHORT=001CC0EC34F1`) in an event. */
  identity(id: number, text: string, devpath: number): void {
    const what = this.#strings.intern(text);
    const key = what * IDS_MAX + devpath;
    if (this.#knownIdentities.has(key)) return;
    this.#insertIdentity.run(what, devpath, id);
    if (this.#knownIdentities.size >= KNOWN_MAX_IDENTITIES) this.#knownIdentities.clear();
    this.#knownIdentities.add(key);
  }

  /** An entry can be found by this text from now on, and is counted under it on its day. Each pair is given once. */
  tag(entry: number, text: string, atMs: number): void {
    const what = this.#strings.intern(text);
    this.#insertTag.run(what, entry);
    const key = what * IDS_MAX + Math.floor(atMs / DAY_MS);
    this.#tallies.set(key, (this.#tallies.get(key) ?? 0) + 1);
  }

  /** A run begins: what happened while nobody listened is not known. */
  runBegins(): void {
    this.#spans.endAll();
  }

  /** Writes what was counted. */
  write(): void {
    for (const { hour, subsystem, action, origin, n, firstId, lastId } of [
      ...this.#earlierHours,
      ...this.#active.values(),
    ])
      this.#addActivity.run(hour, subsystem, action, origin, n, firstId, lastId);
    for (const [key, seen] of this.#seen) this.#writeDevice(key, seen);
    for (const [key, n] of this.#tallies) this.#addTally.run(Math.floor(key / IDS_MAX), key % IDS_MAX, n);
    this.#clear();
  }

  forget(): void {
    this.#clear();
    this.#knownDevices.clear();
    this.#knownIdentities.clear();
    this.#spans.forget();
  }

  #countActivity(id: number, event: Uevent, { subsystem, action, origin }: EventIds): void {
    const hour = Math.floor(event.receivedAtMs / HOUR_MS);
    if (hour !== this.#activeHour) {
      this.#earlierHours.push(...this.#active.values());
      this.#active.clear();
      this.#activeHour = hour;
    }
    const key = subsystem * 64 + ACTIONS.indexOf(event.action) * 8 + ORIGINS.indexOf(event.origin.kind);
    const active = this.#active.get(key);
    if (active === undefined) this.#active.set(key, { hour, subsystem, action, origin, n: 1, firstId: id, lastId: id });
    else {
      active.n += 1;
      active.lastId = id;
    }
  }

  #writeDevice(key: number, seen: SeenDevice): void {
    const { devpath, modalias, subsystem, firstId, firstMs, lastId, lastMs, events, adds } = seen;
    const known = this.#knownDevices.get(key) ?? this.#findDevice.get(devpath, modalias);
    if (known !== undefined) this.#updateDevice.run(lastId, lastMs, events, adds, known);
    const id =
      known ??
      Number(
        this.#insertDevice.run(devpath, modalias, subsystem, firstId, firstMs, lastId, lastMs, events, adds)
          .lastInsertRowid,
      );
    if (this.#knownDevices.size >= KNOWN_MAX_DEVICES) this.#knownDevices.clear();
    this.#knownDevices.set(key, id);
  }

  /** The kernel tells a rename on the new path; the old one is no more. Source: lib/kobject.c, kobject_rename. */
  #moved({ env, receivedAtMs }: Uevent): void {
    const oldPath = env['DEVPATH_OLD'];
    if (oldPath === undefined) return;
    const devpath = this.#strings.intern(oldPath);
    this.#insertGone.run(devpath, receivedAtMs);
    this.#spans.end(devpath, receivedAtMs, 'moved');
  }

  #clear(): void {
    this.#active = new Map();
    this.#activeHour = Number.NaN;
    this.#earlierHours = [];
    this.#seen = new Map();
    this.#tallies = new Map();
  }
}
