/**
 * The ledger's schema as steps: step N turns a file of `user_version` N into one of N + 1. A step that has been released is never
 * changed; a new need is a new step at the end.
 *
 * Rules the tables keep, so that a hash chain, an export that resumes and a retention can be added by later steps:
 * - Rows are only ever added. What ends something is a row of its own (`ending` closes `decision`, `run_end` closes `run`).
 * - run, run_end, uevent, decision, ending, bind, incident, request, pending and pending_end draw their `id` from one sequence, so
 *   that all that happened has one order and a reader can ask for everything after N. Their children (candidate, judgement, opinion, plan, plan_step, mention;
 *   outcome) have the parent's id as the first part of their key and are written in the same transaction.
 * - Texts that repeat stand once in `str`, and rows have their ids. Times are milliseconds since 1970 with a fraction.
 * - `seqnum` is the u64 as SQLite's signed 64-bit number.
 * - `env_keys` names the uevent's keys in order, `env_values` has the values that no other column has (uevent-row.ts); the latter
 *   is the text itself, or the id of a text that came more than once.
 *
 * Indexes: uevent by time, for every question with a time in it; uevent by device and time, for the history of a device; the
 * others are on tables that have a row per decision, not per event, and cost the event path nothing.
 *
 * Step 3 adds the hash chain and what questions are answered from:
 * - `seal` chains all rows of the one sequence (seals.ts).
 * - The tables after it are made from the rows, in the transaction that writes them, and can be made again: `activity` counts events
 *   by hour, kind and action; `device` has a row per device and modalias; `gone` the old paths of devices that were moved;
 *   `driver_span` who drove a device from when to when; `tag` finds entries by module (its name), verdict (`verdict=deny`), rule
 *   (`rule=deny FILE:LINE`) and result (`result=failed`); `tally` counts tags by day. Hours and days are whole ones since 1970, UTC.
 * - `tag` replaces `mention` and the indexes by verdict and result: it is in the order of entries, so that the newest come first
 *   without sorting.
 *
 * Step 4 adds `identity`: at which devpaths a device with this serial number, unique name or address (`KEY=VALUE`, identity-keys.ts) was
 * seen, and by which event first. The row with `what` 0 has in `first_id` the last event from before there was such a table.
 *
 * Step 5 adds `kept`: rows that are on disk and not yet in their tables, up to the id `last` (kept-table.ts).
 *
 * Step 6 changes no table. From here on such rows are in a file beside this one (kept-rows.ts), of which an usherd from before knows
 * nothing: it would give out their ids once more, so it must not write here. What it left in `kept` is taken over when the file is opened.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE str (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE place (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER, col INTEGER, offset_bytes INTEGER) STRICT;

  CREATE TABLE run (
    id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, started_ms REAL NOT NULL, kernel TEXT NOT NULL, version TEXT NOT NULL,
    source TEXT NOT NULL, mode TEXT NOT NULL, modules_dir TEXT
  ) STRICT;
  CREATE TABLE run_end (id INTEGER PRIMARY KEY, run INTEGER NOT NULL UNIQUE, at_ms REAL NOT NULL, reason TEXT NOT NULL) STRICT;

  CREATE TABLE uevent (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, at_ms REAL NOT NULL, seqnum INTEGER, action INTEGER NOT NULL,
    devpath INTEGER NOT NULL, subsystem INTEGER NOT NULL, modalias INTEGER, driver INTEGER,
    origin INTEGER NOT NULL, origin_pid INTEGER, synth_uuid INTEGER, env_keys INTEGER NOT NULL, env_values ANY NOT NULL
  ) STRICT;
  CREATE INDEX uevent_by_time ON uevent (at_ms);
  CREATE INDEX uevent_by_device ON uevent (devpath, at_ms);

  CREATE TABLE decision (
    id INTEGER PRIMARY KEY, entry INTEGER NOT NULL UNIQUE, at_ms REAL NOT NULL,
    devpath INTEGER NOT NULL, subsystem INTEGER NOT NULL, modalias INTEGER, driver INTEGER, devtype INTEGER, devname INTEGER
  ) STRICT;
  CREATE INDEX decision_by_device ON decision (devpath);
  CREATE INDEX decision_by_modalias ON decision (modalias);
  CREATE TABLE candidate (
    decision INTEGER NOT NULL, pos INTEGER NOT NULL, module INTEGER NOT NULL,
    match_module INTEGER NOT NULL, source INTEGER NOT NULL, pattern INTEGER NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (decision, pos)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE judgement (
    decision INTEGER NOT NULL, pos INTEGER NOT NULL, module INTEGER NOT NULL, verdict TEXT NOT NULL, winner INTEGER,
    PRIMARY KEY (decision, pos)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX judgement_by_verdict ON judgement (verdict);
  CREATE TABLE opinion (
    decision INTEGER NOT NULL, judgement INTEGER NOT NULL, pos INTEGER NOT NULL, verdict TEXT NOT NULL, module INTEGER NOT NULL,
    by INTEGER NOT NULL, reason INTEGER NOT NULL, place INTEGER, replacement INTEGER,
    PRIMARY KEY (decision, judgement, pos)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE plan (
    decision INTEGER NOT NULL, pos INTEGER NOT NULL, target INTEGER NOT NULL, PRIMARY KEY (decision, pos)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE plan_step (
    decision INTEGER NOT NULL, plan INTEGER NOT NULL, pos INTEGER NOT NULL, kind TEXT NOT NULL, module INTEGER NOT NULL,
    role TEXT NOT NULL, needed_by INTEGER, required INTEGER NOT NULL,
    path INTEGER, command INTEGER, text INTEGER, place INTEGER, option_places TEXT,
    PRIMARY KEY (decision, plan, pos)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mention (
    module INTEGER NOT NULL, decision INTEGER NOT NULL, PRIMARY KEY (module, decision)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE ending (id INTEGER PRIMARY KEY, entry INTEGER NOT NULL UNIQUE, at_ms REAL NOT NULL, result TEXT NOT NULL) STRICT;
  CREATE INDEX ending_by_result ON ending (result);
  CREATE TABLE outcome (
    ending INTEGER NOT NULL, pos INTEGER NOT NULL, kind TEXT NOT NULL, module INTEGER NOT NULL,
    errno TEXT, text INTEGER, took_ms REAL,
    PRIMARY KEY (ending, pos)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE bind (
    id INTEGER PRIMARY KEY, entry INTEGER, at_ms REAL NOT NULL, devpath INTEGER NOT NULL, driver INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX bind_by_entry ON bind (entry) WHERE entry IS NOT NULL;
  CREATE INDEX bind_by_device ON bind (devpath, at_ms);

  CREATE TABLE incident (
    id INTEGER PRIMARY KEY, run INTEGER, at_ms REAL NOT NULL, kind TEXT NOT NULL, facts TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incident_by_time ON incident (at_ms);
  `,
  `
  -- A wish for modules that no uevent brought: decision and ending have its id as their entry.
  CREATE TABLE request (
    id INTEGER PRIMARY KEY, run INTEGER, at_ms REAL NOT NULL, asker TEXT NOT NULL, asked INTEGER NOT NULL, uid INTEGER NOT NULL,
    devpath INTEGER
  ) STRICT;
  CREATE INDEX request_by_time ON request (at_ms);
  -- A device that waits for an answer; pending_end says how that ended.
  CREATE TABLE pending (id INTEGER PRIMARY KEY, entry INTEGER NOT NULL, at_ms REAL NOT NULL, facts TEXT NOT NULL) STRICT;
  CREATE TABLE pending_end (
    id INTEGER PRIMARY KEY, pending INTEGER NOT NULL UNIQUE, at_ms REAL NOT NULL, how TEXT NOT NULL, uid INTEGER
  ) STRICT;
  `,
  `
  CREATE TABLE seal (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at_ms REAL NOT NULL, digests BLOB NOT NULL, hash BLOB NOT NULL
  ) STRICT;

  CREATE TABLE activity (
    hour INTEGER NOT NULL, subsystem INTEGER NOT NULL, action INTEGER NOT NULL, origin INTEGER NOT NULL, n INTEGER NOT NULL,
    first_id INTEGER NOT NULL, last_id INTEGER NOT NULL, PRIMARY KEY (hour, subsystem, action, origin)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE device (
    id INTEGER PRIMARY KEY, devpath INTEGER NOT NULL, modalias INTEGER NOT NULL, subsystem INTEGER NOT NULL,
    first_id INTEGER NOT NULL, first_ms REAL NOT NULL, last_id INTEGER NOT NULL, last_ms REAL NOT NULL,
    events INTEGER NOT NULL, adds INTEGER NOT NULL, UNIQUE (devpath, modalias)
  ) STRICT;
  CREATE INDEX device_by_first ON device (first_ms);
  CREATE TABLE gone (devpath INTEGER NOT NULL, at_ms REAL NOT NULL, PRIMARY KEY (devpath, at_ms)) STRICT, WITHOUT ROWID;
  CREATE TABLE driver_span (
    id INTEGER PRIMARY KEY, devpath INTEGER NOT NULL, driver INTEGER NOT NULL, from_id INTEGER NOT NULL, from_ms REAL NOT NULL,
    to_ms REAL, ended TEXT
  ) STRICT;
  CREATE INDEX driver_span_by_device ON driver_span (devpath, from_ms);
  CREATE INDEX driver_span_open ON driver_span (devpath) WHERE to_ms IS NULL;

  CREATE TABLE tag (what INTEGER NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (what, entry)) STRICT, WITHOUT ROWID;
  CREATE TABLE tally (
    what INTEGER NOT NULL, day INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (what, day)
  ) STRICT, WITHOUT ROWID;
  DROP TABLE mention;
  DROP INDEX judgement_by_verdict;
  DROP INDEX ending_by_result;
  `,
  `
  CREATE TABLE identity (
    what INTEGER NOT NULL, devpath INTEGER NOT NULL, first_id INTEGER NOT NULL, PRIMARY KEY (what, devpath)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO identity SELECT 0, 0, coalesce(max(id), 0) FROM uevent;
  `,
  'CREATE TABLE kept (last INTEGER PRIMARY KEY, rows BLOB NOT NULL) STRICT;',
  '-- Rows are kept in FILE-kept.',
];
