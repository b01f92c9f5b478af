import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Uevent } from '../1-intake/uevent.ts';
import type { Connection } from './database.ts';
import { DecisionRows } from './decision-rows.ts';
import { RollUps } from './roll-ups.ts';
import { numberField, optionalTextField, textField } from './row-content.ts';
import type { Row } from './row-queue.ts';
import { columnsOf } from './row-shapes.ts';
import { SealWriter } from './seals.ts';
import { ShapedInsert } from './shaped-insert.ts';
import { Strings } from './strings.ts';
import { tagsOf } from './tags.ts';
import { EnvPacker } from './uevent-row.ts';

type Cell = number | bigint | string | null;

/** Columns of `uevent`. */
const UEVENT_COLUMNS = 14;
/** Events a statement writes at once; from here on more rows per statement gain nothing. */
const UEVENTS_AT_ONCE = 16;

/** Puts rows into the file, a batch per transaction, each with its seal and what questions are answered from. */
export class RowWriter {
  readonly #strings: Strings;
  readonly #packer = new EnvPacker();
  readonly #decisions: DecisionRows;
  readonly #rollUps: RollUps;
  readonly #seals: SealWriter;
  readonly #writeAll: (rows: readonly Row[]) => void;
  readonly #run;
  readonly #runEnd;
  readonly #uevent;
  readonly #uevents;
  /** Values of the events that go into the next statement. */
  readonly #cells: Cell[] = Array.from({ length: UEVENT_COLUMNS * UEVENTS_AT_ONCE }, () => null);
  #filled = 0;
  readonly #bind;
  readonly #incident;
  readonly #request;
  readonly #pending;
  readonly #pendingEnd;

  constructor(db: Connection, now: () => number) {
    this.#strings = new Strings(db);
    this.#decisions = new DecisionRows(db, this.#strings);
    this.#rollUps = new RollUps(db, this.#strings);
    this.#seals = new SealWriter(db, now);
    const insert = (table: string): ShapedInsert => new ShapedInsert(db, this.#strings, table, columnsOf(table));
    this.#run = insert('run');
    this.#runEnd = insert('run_end');
    this.#bind = insert('bind');
    this.#incident = insert('incident');
    const row = `(${Array.from({ length: UEVENT_COLUMNS }, () => '?').join(',')})`;
    this.#uevent = db.prepare(`INSERT INTO uevent VALUES ${row}`);
    this.#uevents = db.prepare(
      `INSERT INTO uevent VALUES ${Array.from({ length: UEVENTS_AT_ONCE }, () => row).join(',')}`,
    );
    this.#request = insert('request');
    this.#pending = insert('pending');
    this.#pendingEnd = insert('pending_end');
    const transaction = db.transaction((rows: readonly Row[]) => {
      for (const each of rows) this.#seals.add(each.id, this.#write(each));
      this.#writeFilled();
      this.#rollUps.write();
      this.#seals.seal();
    });
    this.#writeAll = rows => transaction.immediate(rows);
  }

  /** All rows or, when this throws, none of them. */
  write(rows: readonly Row[]): void {
    try {
      this.#writeAll(rows);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** Drops all that is known of the file: a transaction was rolled back, or somebody else has written. */
  forget(): void {
    this.#strings.forget();
    this.#rollUps.forget();
    this.#seals.forget();
    this.#filled = 0;
  }

  /** Writes one row → its content. */
  #write(row: Row): string {
    switch (row.kind) {
      case 'uevent':
        return this.#writeUevent(row.id, row.run, row.event);
      case 'decision':
        for (const tag of tagsOf(row.deliberation)) this.#rollUps.tag(row.entry, tag, row.atMs);
        return this.#decisions.writeDeliberation(row.id, row.entry, row.atMs, row.deliberation);
      case 'ending':
        this.#rollUps.tag(row.entry, `result=${row.result}`, row.atMs);
        return this.#decisions.writeEnding(row.id, row.entry, row.atMs, row.result, row.outcomes);
      case 'bind':
        return this.#bind.write(row.id, [row.entry, row.atMs, row.devpath, row.driver]);
      case 'incident': {
        const { kind, ...facts } = row.incident;
        return this.#incident.write(row.id, [row.run, row.atMs, kind, JSON.stringify(facts)]);
      }
      case 'request': {
        const { asker, asked, uid, devpath } = row.request;
        return this.#request.write(row.id, [row.run, row.atMs, asker, asked, uid, devpath]);
      }
      case 'pending': {
        const { entry, ...facts } = row.item;
        return this.#pending.write(row.id, [entry, row.atMs, JSON.stringify(facts)]);
      }
      case 'pending-end':
        return this.#pendingEnd.write(row.id, [row.pending, row.atMs, row.how, row.uid]);
      case 'run': {
        this.#rollUps.runBegins();
        const { bootId, startedAtMs, kernelRelease, version, source, mode, modulesDir } = row.facts;
        return this.#run.write(row.id, [bootId, startedAtMs, kernelRelease, version, source, mode, modulesDir]);
      }
      case 'run-end':
        return this.#runEnd.write(row.id, [row.run, row.atMs, row.reason]);
      default:
        return assertNever(row);
    }
  }

  /** As ShapedInsert does it, by hand: this is where a storm goes through. */
  #writeUevent(id: number, run: number, event: Uevent): string {
    const strings = this.#strings;
    const { names, values, identityKeys } = this.#packer.pack(event);
    const { env, origin, action, devpath, subsystem, receivedAtMs, synthUuid } = event;
    const modalias = env['MODALIAS'];
    const driver = env['DRIVER'];
    const seqnum = event.seqnum === undefined ? null : sqliteInteger(event.seqnum);
    const pid = 'pid' in origin ? origin.pid : null;
    const ids = {
      action: strings.intern(action),
      devpath: strings.intern(devpath),
      subsystem: strings.intern(subsystem),
      modalias: strings.internOptional(modalias),
      driver: strings.internOptional(driver),
      origin: strings.intern(origin.kind),
    };
    const cells = this.#cells;
    let at = this.#filled;
    cells[at++] = id;
    cells[at++] = run;
    cells[at++] = receivedAtMs;
    cells[at++] = seqnum;
    cells[at++] = ids.action;
    cells[at++] = ids.devpath;
    cells[at++] = ids.subsystem;
    cells[at++] = ids.modalias;
    cells[at++] = ids.driver;
    cells[at++] = ids.origin;
    cells[at++] = pid;
    cells[at++] = strings.internOptional(synthUuid);
    cells[at++] = strings.intern(names);
    cells[at++] = strings.internRepeated(values);
    this.#filled = at;
    if (at === cells.length) {
      this.#uevents.run(cells);
      this.#filled = 0;
    }
    this.#rollUps.event(id, event, ids);
    for (const key of identityKeys) this.#rollUps.identity(id, `${key}=${env[key] ?? ''}`, ids.devpath);
    return `uevent{${run};${receivedAtMs};${numberField(seqnum)}${textField(action)}${textField(devpath)}${textField(subsystem)}${optionalTextField(modalias)}${optionalTextField(driver)}${textField(origin.kind)}${numberField(pid)}${optionalTextField(synthUuid)}${textField(names)}${textField(values)}}`;
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
