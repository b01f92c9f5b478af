import { UsherdError } from '../../errors.ts';
import { isSqliteError, type Connection } from './database.ts';

/** One view of `usher history sql`: a stable interface, whatever the tables below it become. A column may be added, none goes. */
export interface View {
  readonly name: string;
  readonly description: string;
  /** Names, in order, with blanks between. */
  readonly columns: string;
  readonly select: string;
}

const text = (id: string): string => `(SELECT text FROM main.str WHERE id = ${id})`;
const time = (ms: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000, 'unixepoch')`;

/** Times come twice: `at` as ISO 8601 in UTC, `at_ms` as milliseconds since 1970; compare with the latter, which has the index. */
export const VIEWS: readonly View[] = [
  {
    name: 'events',
    description: 'Every uevent.',
    columns: 'entry run at at_ms seqnum action devpath subsystem modalias driver origin origin_pid synth_uuid',
    select: `SELECT id AS entry, run, ${time('at_ms')} AS at, at_ms, seqnum, ${text('action')} AS action, ${text('devpath')} AS devpath,
      ${text('subsystem')} AS subsystem, ${text('modalias')} AS modalias, ${text('driver')} AS driver, ${text('origin')} AS origin,
      origin_pid, ${text('synth_uuid')} AS synth_uuid FROM main.uevent`,
  },
  {
    name: 'decisions',
    description:
      'Every event for which something was decided, and how it ended; result is empty for one that never did.',
    columns: 'entry at_ms at devpath subsystem modalias result ended_ms',
    select: `SELECT decision.entry, decision.at_ms, ${time('decision.at_ms')} AS at, ${text('devpath')} AS devpath,
      ${text('subsystem')} AS subsystem, ${text('modalias')} AS modalias, result, ending.at_ms AS ended_ms
      FROM main.decision LEFT JOIN main.ending ON ending.entry = decision.entry`,
  },
  {
    name: 'verdicts',
    description: 'The verdict for each module of each decision, and whose opinion won.',
    columns: 'entry at_ms module verdict by reason file line',
    select: `SELECT decision.entry, decision.at_ms, ${text('judgement.module')} AS module, judgement.verdict, ${text('opinion.by')} AS by,
      ${text('opinion.reason')} AS reason, ${text('place.file')} AS file, place.line
      FROM main.decision JOIN main.judgement ON judgement.decision = decision.id
      LEFT JOIN main.opinion ON opinion.decision = decision.id AND opinion.judgement = judgement.pos AND opinion.pos = judgement.winner
      LEFT JOIN main.place ON place.id = opinion.place`,
  },
  {
    name: 'loads',
    description:
      'What became of each step of each plan: inserted, already-loaded, refused and so on, with the device it was for.',
    columns: 'entry at_ms at module outcome errno text took_ms devpath modalias',
    select: `SELECT ending.entry, ending.at_ms, ${time('ending.at_ms')} AS at, ${text('outcome.module')} AS module, outcome.kind AS outcome,
      errno, ${text('outcome.text')} AS text, took_ms, ${text('decision.devpath')} AS devpath, ${text('decision.modalias')} AS modalias
      FROM main.ending JOIN main.outcome ON outcome.ending = ending.id JOIN main.decision ON decision.entry = ending.entry`,
  },
  {
    name: 'drivers',
    description: 'Who drove which device from when to when; to_ms is empty while it does.',
    columns: 'devpath driver from_ms to_ms from_at to_at ended entry',
    select: `SELECT ${text('devpath')} AS devpath, ${text('driver')} AS driver, from_ms, to_ms, ${time('from_ms')} AS from_at,
      ${time('to_ms')} AS to_at, ended, from_id AS entry FROM main.driver_span`,
  },
  {
    name: 'devices',
    description: 'Every device with its modalias, and when it was seen first and last.',
    columns: 'devpath modalias subsystem first_ms last_ms first_at last_at first_entry last_entry events adds',
    select: `SELECT ${text('devpath')} AS devpath, ${text('modalias')} AS modalias, ${text('subsystem')} AS subsystem, first_ms, last_ms,
      ${time('first_ms')} AS first_at, ${time('last_ms')} AS last_at, first_id AS first_entry, last_id AS last_entry, events, adds
      FROM main.device`,
  },
  {
    name: 'identities',
    description: 'Serial numbers, unique names and addresses (KEY=VALUE), and at which devices they were seen.',
    columns: 'identity devpath first_entry',
    select: `SELECT ${text('what')} AS identity, ${text('devpath')} AS devpath, first_id AS first_entry FROM main.identity WHERE what > 0`,
  },
  {
    name: 'requests',
    description:
      'What the kernel, an administrator or an approval asked for by an alias or name; result is empty for one that never ended.',
    columns: 'entry at_ms at asker asked uid devpath result',
    select: `SELECT request.id AS entry, request.at_ms, ${time('request.at_ms')} AS at, asker, ${text('asked')} AS asked, uid,
      ${text('request.devpath')} AS devpath, result FROM main.request LEFT JOIN main.ending ON ending.entry = request.id`,
  },
  {
    name: 'answers',
    description:
      'Devices that waited for an administrator: how that ended, and by whom; facts is JSON, ended_ms empty while one waits.',
    columns: 'question entry at_ms at facts ended_ms how uid',
    select: `SELECT pending.id AS question, pending.entry, pending.at_ms, ${time('pending.at_ms')} AS at, facts,
      pending_end.at_ms AS ended_ms, how, uid FROM main.pending LEFT JOIN main.pending_end ON pending_end.pending = pending.id`,
  },
  {
    name: 'activity',
    description: 'Events counted by hour (hours since 1970, UTC), subsystem, action and origin.',
    columns: 'hour at subsystem action origin n',
    select: `SELECT hour, ${time('hour * 3600000.0')} AS at, ${text('subsystem')} AS subsystem, ${text('action')} AS action,
      ${text('origin')} AS origin, n FROM main.activity`,
  },
  {
    name: 'incidents',
    description:
      'What is no event: losses, rejected datagrams, reloads, modules others loaded, taint, prunings. facts is JSON.',
    columns: 'id run at_ms at kind facts',
    select: `SELECT id, run, at_ms, ${time('at_ms')} AS at, kind, facts FROM main.incident`,
  },
  {
    name: 'runs',
    description: 'Starts of the daemon; ended_ms is empty when it runs, or stopped without saying so.',
    columns: 'run boot_id started_ms started_at kernel version source mode modules_dir ended_ms reason',
    select: `SELECT run.id AS run, boot_id, started_ms, ${time('started_ms')} AS started_at, kernel, version, source, mode,
      modules_dir, run_end.at_ms AS ended_ms, reason FROM main.run LEFT JOIN main.run_end ON run_end.run = run.id`,
  },
];

/** Rows of a question in SQL, and whether there were more than were asked for. */
export interface SqlAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly isCut: boolean;
}

/**
 * Answers one SELECT over the views. The connection can only read, and statements that give no rows (ATTACH among them) are refused.
 * @throws {UsherdError} USAGE with SQLite's own words
 */
export function askSql(db: Connection, sql: string, maxRows: number): SqlAnswer {
  try {
    for (const { name, select } of VIEWS) db.exec(`CREATE TEMP VIEW IF NOT EXISTS ${name} AS ${select}`);
    const statement = db.prepare<[], unknown[]>(sql);
    if (!statement.reader || !statement.readonly)
      throw new UsherdError('USAGE', `"${sql}" gives no rows, or wants to change something; wanted a SELECT`);
    const columns = statement.columns().map(({ name }) => name);
    const rows: unknown[][] = [];
    let isCut = false;
    for (const row of statement.raw().safeIntegers().iterate()) {
      if (rows.length === maxRows) {
        isCut = true;
        break;
      }
      rows.push(row);
    }
    return { columns, rows, isCut };
  } catch (error) {
    if (isSqliteError(error) && /^SQLITE_(?:ERROR|AUTH|READONLY|RANGE|TOOBIG)/.test(error.code))
      throw new UsherdError('USAGE', `SQL: ${error.message}`, { sql }, error);
    if (error instanceof RangeError) throw new UsherdError('USAGE', `SQL: ${error.message}`, { sql }, error);
    throw error;
  }
}
