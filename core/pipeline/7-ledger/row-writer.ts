import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Connection } from './database.ts';
import { DecisionRows } from './decision-rows.ts';
import type { Row } from './row-queue.ts';
import { Strings } from './strings.ts';
import { EnvPacker } from './uevent-row.ts';

type Cell = number | bigint | string | null;

/** Columns of `uevent`. */
const UEVENT_COLUMNS = 14;
/** Events a statement writes at once; from here on more rows per statement gain nothing. */
const UEVENTS_AT_ONCE = 16;

/** Puts rows into the file, a batch per transaction. */
export class RowWriter {
  readonly #strings: Strings;
  readonly #packer = new EnvPacker();
  readonly #decisions: DecisionRows;
  readonly #writeAll: (rows: readonly Row[]) => void;
  readonly #run;
  readonly #runEnd;
  readonly #uevent;
  readonly #uevents;
  /** Values of the events that go into the next statement. */
  readonly #cells: Cell[] = Array.from({ length: UEVENT_COLUMNS * UEVENTS_AT_ONCE }, () => null);
  #filled = 0;
  readonly #ending;
  readonly #bind;
  readonly #incident;
  readonly #request;
  readonly #pending;
  readonly #pendingEnd;

  constructor(db: Connection) {
    this.#strings = new Strings(db);
    this.#decisions = new DecisionRows(db, this.#strings);
    this.#run = db.prepare('INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.#runEnd = db.prepare('INSERT INTO run_end VALUES (?, ?, ?, ?)');
    const row = `(${Array.from({ length: UEVENT_COLUMNS }, () => '?').join(',')})`;
    this.#uevent = db.prepare(`INSERT INTO uevent VALUES ${row}`);
    this.#uevents = db.prepare(
      `INSERT INTO uevent VALUES ${Array.from({ length: UEVENTS_AT_ONCE }, () => row).join(',')}`,
    );
    this.#ending = db.prepare('INSERT INTO ending VALUES (?, ?, ?, ?)');
    this.#bind = db.prepare('INSERT INTO bind VALUES (?, ?, ?, ?, ?)');
    this.#incident = db.prepare('INSERT INTO incident VALUES (?, ?, ?, ?, ?)');
    this.#request = db.prepare('INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#pending = db.prepare('INSERT INTO pending VALUES (?, ?, ?, ?)');
    this.#pendingEnd = db.prepare('INSERT INTO pending_end VALUES (?, ?, ?, ?, ?)');
    const transaction = db.transaction((rows: readonly Row[]) => {
      for (const each of rows) this.#write(each);
      this.#writeFilled();
    });
    this.#writeAll = rows => transaction.immediate(rows);
  }

  /** All rows or, when this throws, none of them. */
  write(rows: readonly Row[]): void {
    try {
      this.#writeAll(rows);
    } catch (error) {
      this.#strings.forget();
      this.#filled = 0;
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
      case 'request': {
        const { asker, asked, uid, devpath } = row.request;
        const names = [this.#strings.intern(asked), uid, this.#strings.internOptional(devpath)];
        this.#request.run(row.id, row.run ?? null, row.atMs, asker, ...names);
        return undefined;
      }
      case 'pending': {
        const { entry, ...facts } = row.item;
        this.#pending.run(row.id, entry, row.atMs, JSON.stringify(facts));
        return undefined;
      }
      case 'pending-end':
        this.#pendingEnd.run(row.id, row.pending, row.atMs, row.how, row.uid ?? null);
        return undefined;
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
    const { names, values } = this.#packer.pack(event);
    const { env, origin, seqnum } = event;
    const cells = this.#cells;
    let at = this.#filled;
    cells[at++] = id;
    cells[at++] = run;
    cells[at++] = event.receivedAtMs;
    cells[at++] = seqnum === undefined ? null : sqliteInteger(seqnum);
    cells[at++] = strings.intern(event.action);
    cells[at++] = strings.intern(event.devpath);
    cells[at++] = strings.intern(event.subsystem);
    cells[at++] = strings.internOptional(env['MODALIAS']);
    cells[at++] = strings.internOptional(env['DRIVER']);
    cells[at++] = strings.intern(origin.kind);
    cells[at++] = 'pid' in origin ? origin.pid : null;
    cells[at++] = strings.internOptional(event.synthUuid);
    cells[at++] = strings.intern(names);
    cells[at++] = strings.internRepeated(values);
    this.#filled = at;
    if (at === cells.length) {
      this.#uevents.run(cells);
      this.#filled = 0;
    }
  }

  #writeFilled(): void {
    for (let at = 0; at < this.#filled; at += UEVENT_COLUMNS)
      this.#uevent.run(this.#cells.slice(at, at + UEVENT_COLUMNS));
    this.#filled = 0;
  }
}

/** A u64 → the signed number SQLite has for its bits; a plain number where that is exact, since it is bound faster. */
export function sqliteInteger(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : BigInt.asIntN(64, value);
}
