import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Connection } from './database.ts';
import { DecisionRows } from './decision-rows.ts';
import type { Row } from './row-queue.ts';
import { Strings } from './strings.ts';
import { packEnv } from './uevent-row.ts';

/** Puts rows into the file, a batch per transaction. */
export class RowWriter {
  readonly #strings: Strings;
  readonly #decisions: DecisionRows;
  readonly #writeAll: (rows: readonly Row[]) => void;
  readonly #run;
  readonly #runEnd;
  readonly #uevent;
  readonly #ending;
  readonly #bind;
  readonly #incident;

  constructor(db: Connection) {
    this.#strings = new Strings(db);
    this.#decisions = new DecisionRows(db, this.#strings);
    this.#run = db.prepare('INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.#runEnd = db.prepare('INSERT INTO run_end VALUES (?, ?, ?, ?)');
    this.#uevent = db.prepare('INSERT INTO uevent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#ending = db.prepare('INSERT INTO ending VALUES (?, ?, ?, ?)');
    this.#bind = db.prepare('INSERT INTO bind VALUES (?, ?, ?, ?, ?)');
    this.#incident = db.prepare('INSERT INTO incident VALUES (?, ?, ?, ?, ?)');
    const transaction = db.transaction((rows: readonly Row[]) => {
      for (const row of rows) this.#write(row);
    });
    this.#writeAll = rows => transaction.immediate(rows);
  }

  /** All rows or, when this throws, none of them. */
  write(rows: readonly Row[]): void {
    try {
      this.#writeAll(rows);
    } catch (error) {
      this.#strings.forget();
      throw error;
    }
  }

  #write(row: Row): void {
    switch (row.kind) {
      case 'uevent':
        return this.#writeUevent(row.id, row.run, row.event);
      case 'decision':
        return this.#decisions.writeDeliberation(row.id, row.entry, row.atMs, row.deliberation);
      case 'ending':
        this.#ending.run(row.id, row.entry, row.atMs, row.result);
        return this.#decisions.writeOutcomes(row.id, row.outcomes);
      case 'bind': {
        const names = [this.#strings.intern(row.devpath), this.#strings.intern(row.driver)];
        this.#bind.run(row.id, row.entry ?? null, row.atMs, ...names);
        return undefined;
      }
      case 'incident': {
        const { kind, ...facts } = row.incident;
        this.#incident.run(row.id, row.run ?? null, row.atMs, kind, JSON.stringify(facts));
        return undefined;
      }
      case 'run': {
        const { bootId, startedAtMs, kernelRelease, version, source, mode, modulesDir } = row.facts;
        this.#run.run(row.id, bootId, startedAtMs, kernelRelease, version, source, mode, modulesDir ?? null);
        return undefined;
      }
      case 'run-end':
        this.#runEnd.run(row.id, row.run, row.atMs, row.reason);
        return undefined;
      default:
        return assertNever(row);
    }
  }

  #writeUevent(id: number, run: number, event: Uevent): void {
    const strings = this.#strings;
    const { names, values } = packEnv(event);
    const { env, origin, seqnum } = event;
    this.#uevent.run(
      id,
      run,
      event.receivedAtMs,
      seqnum === undefined ? null : sqliteInteger(seqnum),
      strings.intern(event.action),
      strings.intern(event.devpath),
      strings.intern(event.subsystem),
      strings.internOptional(env['MODALIAS']),
      strings.internOptional(env['DRIVER']),
      strings.intern(origin.kind),
      'pid' in origin ? origin.pid : null,
      strings.internOptional(event.synthUuid),
      strings.intern(names),
      strings.internRepeated(values),
    );
  }
}

/** A u64 → the signed number SQLite has for its bits; a plain number where that is exact, since it is bound faster. */
export function sqliteInteger(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : BigInt.asIntN(64, value);
}
