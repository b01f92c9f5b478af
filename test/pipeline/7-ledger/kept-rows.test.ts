import {
  appendFileSync,
  copyFileSync,
  existsSync,
  fdatasyncSync,
  globSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import test from 'ava';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import type { RestsOn } from '../../../core/kernel/rests-on.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { KeptFile } from '../../../core/pipeline/7-ledger/kept-file.ts';
import { keptFileOf } from '../../../core/pipeline/7-ledger/kept-path.ts';
import { KEPT_MAX_BYTES, readKeptFile, rowsOfPieces } from '../../../core/pipeline/7-ledger/kept-rows.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import type { PutOnDisk } from '../../../core/pipeline/7-ledger/log-sync.ts';
import { UNSETTLED_MAX_ROWS, type Row } from '../../../core/pipeline/7-ledger/row-queue.ts';
import { BATCH_MAX_ROWS, type LedgerTrouble } from '../../../core/pipeline/7-ledger/write-behind.ts';
import { deliberations, outcomes, uevents } from './arbitraries.ts';
import { begunLedger, mouseAdded, mouseDeliberation, RUN, scratchFolder } from './samples.ts';

/** A piece as the format says it is, with another length or sum where a test wants that. */
function piece(payload: Buffer, { length = payload.length, sum = crc32(payload) } = {}): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(length, 0);
  header.writeUInt32LE(sum, 4);
  return Buffer.concat([header, payload]);
}

/** A row of one size, whatever its id below a million is. */
function rowWith(id: number): Row {
  return { kind: 'run-end', id, run: 1, atMs: 0.5, reason: String(id).padStart(6) };
}

function pieceWith(...ids: readonly number[]): Buffer {
  return piece(serialize(ids.map(rowWith)));
}

function idsIn(bytes: Buffer): readonly number[] {
  return rowsOfPieces(bytes).map(({ id }) => id);
}

/** What a power cut now would leave: the files as they are. */
function copyOf(file: string, to: string): string {
  for (const suffix of ['', '-wal', '-kept']) if (existsSync(file + suffix)) copyFileSync(file + suffix, to + suffix);
  return to;
}

/** As whoever acts does it. */
function put(restsOn: RestsOn): void {
  if (restsOn.fd !== undefined) fdatasyncSync(restsOn.fd);
  restsOn.wasPut(0);
}

/** A disk that is done when it is told to. */
function slowDisk(): { readonly putOnDisk: PutOnDisk; readonly end: () => Promise<void> } {
  const asked: (() => void)[] = [];
  return {
    putOnDisk: (_fd, done) => void asked.push(() => done(null)),
    end: async () => {
      for (const done of asked.splice(0)) done();
      await nextTurn();
    },
  };
}

test('rows come back as exactly what was kept', t => {
  const file = path.join(scratchFolder(t), 'pieces');
  const cases = fc.array(fc.tuple(uevents, deliberations, fc.array(outcomes, { maxLength: 3 })), { maxLength: 4 });
  fc.assert(
    fc.property(cases, cut => {
      const rows: Row[] = cut.flatMap(([event, deliberation, ended], n): Row[] => [
        { kind: 'uevent', id: 3 * n + 1, run: 1, event },
        { kind: 'decision', id: 3 * n + 2, entry: 3 * n + 1, atMs: n, deliberation },
        { kind: 'ending', id: 3 * n + 3, entry: 3 * n + 1, atMs: n, result: 'loaded', outcomes: ended },
      ]);
      const kept = KeptFile.open(file);
      const halves = [rows.slice(0, 2), rows.slice(2)].filter(half => half.length > 0);
      for (const half of halves) t.is(kept.add(half, half.at(-1)?.id ?? 0), undefined);
      const found = readKeptFile(file);
      t.deepEqual(found, rows);
      for (const row of found)
        if (row.kind === 'uevent') t.not(Object.getPrototypeOf(row.event.env), Object.prototype, 'it inherits nothing');
      kept.close(true);
      t.is(statSync(file).size, 0);
    }),
    { numRuns: 60 },
  );
});

test('a file that was cut at any byte has the pieces that are whole, whatever stands behind them', t => {
  const pieces = [pieceWith(1, 2), pieceWith(3), pieceWith(4, 5, 6)];
  const bytes = Buffer.concat(pieces);
  const ends = pieces.map((_, n) => pieces.slice(0, n + 1).reduce((sum, { length }) => sum + length, 0));
  const whole = (end: number): number[] => [[1, 2], [3], [4, 5, 6]].filter((_, n) => end >= (ends[n] ?? 0)).flat();
  for (let end = 0; end <= bytes.length; end++) {
    const cut = bytes.subarray(0, end);
    t.deepEqual(idsIn(cut), whole(end), `cut at ${end}`);
    t.deepEqual(idsIn(Buffer.concat([cut, Buffer.alloc(5000)])), whole(end), `zeros from ${end}`);
    t.deepEqual(idsIn(Buffer.concat([cut, Buffer.alloc(5000, 0x5a)])), whole(end), `garbage from ${end}`);
  }
});

test('a byte that is not what was written ends the pieces before its own', t => {
  const pieces = [pieceWith(1, 2), pieceWith(3), pieceWith(4, 5, 6)];
  const bytes = Buffer.concat(pieces);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ change;
      const ends = pieces.map((_, n) => pieces.slice(0, n + 1).reduce((sum, { length }) => sum + length, 0));
      t.deepEqual(idsIn(changed), [[1, 2], [3], [4, 5, 6]].filter((_, n) => (ends[n] ?? 0) <= at).flat());
    }),
    { numRuns: 500 },
  );
});

test('a length or a sum that cannot be ends the pieces', t => {
  const payload = serialize([rowWith(2)]);
  for (const wrong of [
    piece(payload, { length: 0 }),
    piece(payload, { length: payload.length - 1 }),
    piece(payload, { length: payload.length + 1 }),
    piece(payload, { length: KEPT_MAX_BYTES }),
    piece(payload, { length: 0x7fffffff }),
    piece(payload, { length: 0xffffffff }),
    piece(payload, { sum: (crc32(payload) ^ 1) >>> 0 }),
    piece(payload, { sum: 0 }),
    piece(Buffer.alloc(0)),
  ])
    t.deepEqual(idsIn(Buffer.concat([pieceWith(1), wrong, pieceWith(3)])), [1]);
  t.deepEqual(idsIn(Buffer.concat([pieceWith(1), piece(payload), pieceWith(3)])), [1, 2, 3]);
});

test('pieces of old behind a new one are none, though they are whole', t => {
  const file = path.join(scratchFolder(t), 'pieces');
  const kept = KeptFile.open(file);
  for (const id of [11, 12, 13]) kept.add([rowWith(id)], id);
  const { size } = statSync(file);
  kept.settled(12);
  kept.add([rowWith(14)], 14);
  t.deepEqual(idsIn(readFileSync(file)), [11, 12, 13, 14], 'one of them is in no table yet');
  kept.settled(14);
  t.true(kept.isPut);
  kept.add([rowWith(15)], 15);
  t.false(kept.isPut);
  t.deepEqual(idsIn(readFileSync(file)), [15]);
  t.deepEqual(idsIn(readFileSync(file).subarray(size / 3)), [12, 13, 14], 'they stand there still');
  kept.close(false);
  t.deepEqual(idsIn(readFileSync(file)), [15]);
});

test('what could not be put on disk is written again, and what was learnt of it before counts no more', t => {
  const file = path.join(scratchFolder(t), 'pieces');
  const kept = KeptFile.open(file);
  kept.add([rowWith(1)], 1);
  kept.awaitPut()(true);
  t.true(kept.isPut);
  kept.add([rowWith(2)], 2);
  const [fails, ends] = [kept.awaitPut(), kept.awaitPut()];
  fails(false);
  t.is(kept.newestId, 1);
  kept.add([rowWith(2), rowWith(3)], 3);
  ends(true);
  t.false(kept.isPut);
  t.deepEqual(idsIn(readFileSync(file)), [1, 2, 3]);
  kept.awaitPut()(false);
  t.is(kept.newestId, 1);
  kept.add([rowWith(2), rowWith(3)], 3);
  kept.awaitPut()(true);
  t.true(kept.isPut);
  kept.close(false);
});

test('a file of kept rows has a size it does not go beyond, and then takes none', t => {
  const file = path.join(scratchFolder(t), 'pieces');
  const kept = KeptFile.open(file);
  const row: Row = { kind: 'run-end', id: 1, run: 1, atMs: 0, reason: 'x'.repeat(KEPT_MAX_BYTES / 2) };
  t.is(kept.add([row], 1), undefined);
  t.is(kept.add([{ ...row, id: 2 }], 2), 'EFBIG');
  t.true(statSync(file).size < KEPT_MAX_BYTES);
  t.deepEqual([kept.newestId, readKeptFile(file)], [1, [row]]);
  kept.close(false);
});

test('a decision is kept before its tables are written, and a cut at any moment has it once', async t => {
  const { ledger, file } = begunLedger(t);
  const folder = scratchFolder(t);
  t.is(statSync(keptFileOf(file)).mode & 0o137, 0, 'not for everybody');
  const entry = ledger.record(mouseAdded());
  ledger.open(entry, mouseDeliberation());
  t.is(await ledger.kept(), 'on-disk');
  t.is(ledger.stats().writtenRows, 0);
  const first = copyOf(file, path.join(folder, 'kept'));
  ledger.commit(entry, []);
  const late = ledger.record(mouseAdded({ synthUuid: '1' }));
  put(ledger.keep());
  t.is(ledger.stats().writtenRows, 0);
  const second = copyOf(file, path.join(folder, 'kept-twice'));
  ledger.record(mouseAdded({ synthUuid: '2' }));
  ledger.flush();
  const third = copyOf(file, path.join(folder, 'written'));
  t.true(statSync(keptFileOf(third)).size > 0);
  ledger.close('test over');
  t.is(statSync(keptFileOf(file)).size, 0, 'a clean end leaves nothing');
  const cuts = [
    { cut: first, state: 'interrupted', events: [entry] },
    { cut: second, state: 'ended', events: [entry, late] },
    { cut: third, state: 'ended', events: [entry, late, late + 1] },
  ];
  for (const { cut, state, events } of cuts) {
    const looks = (): void => {
      const history = History.open(cut);
      t.deepEqual(
        [...history.query({ order: 'oldest-first' })].map(({ id }) => Number(id)),
        events.map(Number),
      );
      t.is(history.entryById(entry)?.state, state as 'ended');
      t.deepEqual(history.entryById(entry)?.deliberation, mouseDeliberation());
      t.deepEqual(history.verify().problems, []);
      history.close();
    };
    const before = readFileSync(keptFileOf(cut));
    looks();
    t.deepEqual(readFileSync(keptFileOf(cut)), before, 'who reads changes nothing');
    const again = Ledger.open(cut);
    t.is(again.setAside, undefined);
    t.is(statSync(keptFileOf(cut)).size, 0);
    again.close('looked at');
    looks();
  }
});

test('the second who asks in a turn has the same put on disk, and who asks when it is there has nothing to wait for', t => {
  const { ledger, file } = begunLedger(t);
  ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
  const first = ledger.keep();
  const { size } = statSync(keptFileOf(file));
  const second = ledger.keep();
  t.is(statSync(keptFileOf(file)).size, size, 'nothing new was written');
  t.deepEqual(
    [first, second].map(({ fd }) => readlinkSync(`/proc/self/fd/${fd}`)),
    [keptFileOf(file), keptFileOf(file)],
  );
  put(second);
  put(first);
  t.is(ledger.keep().fd, undefined);
  ledger.close('test over');
});

test('a disk that does not take what an act rests on is told of, once for each, and what was kept is kept again', t => {
  const troubles: LedgerTrouble[] = [];
  const { ledger, file } = begunLedger(t, { onTrouble: trouble => troubles.push(trouble) });
  ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
  const restsOn = ledger.keep();
  const kept = readFileSync(keptFileOf(file));
  restsOn.wasPut(-5);
  restsOn.wasPut(-5);
  const told = { heldRows: 3, lostRows: 0, code: 'EIO', message: 'Input/output error' };
  t.deepEqual(troubles, [{ kind: 'not-written', ...told }]);
  writeFileSync(keptFileOf(file), Buffer.alloc(kept.length));
  const again = ledger.keep();
  t.not(again.fd, undefined);
  t.deepEqual(readFileSync(keptFileOf(file)), kept);
  put(again);
  ledger.close('test over');
});

test('the next piece goes over the first when the tables are on disk, and not when they are only written', async t => {
  const { putOnDisk, end } = slowDisk();
  const { ledger, file } = begunLedger(t, { putOnDisk });
  const cut = path.join(scratchFolder(t), 'ledger.db');
  const keep = (): number => {
    const entry = ledger.record(mouseAdded());
    ledger.open(entry, mouseDeliberation());
    put(ledger.keep());
    return entry;
  };
  // The disk has nothing of the log yet: a power cut leaves the file as it is here, and what was kept.
  copyFileSync(file, cut);
  const entries = [keep()];
  ledger.flush();
  entries.push(keep());
  ledger.flush();
  entries.push(keep());
  copyFileSync(keptFileOf(file), keptFileOf(cut));
  Ledger.open(cut).close('after the power cut');
  const history = History.open(cut);
  t.deepEqual(
    [...history.query({ order: 'oldest-first' })].map(({ id }) => Number(id)),
    entries,
  );
  history.close();

  await end();
  await end();
  const { size } = statSync(keptFileOf(file));
  const last = keep();
  t.true(statSync(keptFileOf(file)).size > size, 'the third is in no table yet');
  ledger.flush();
  await end();
  await end();
  const next = keep();
  t.deepEqual(
    readKeptFile(keptFileOf(file)).flatMap(row => (row.kind === 'uevent' ? [row.id] : [])),
    [next],
  );
  t.true(next > last);
  ledger.close('test over');
});

test('a decision about an event that was written and is not on disk yet rests on that event, too', t => {
  const { putOnDisk } = slowDisk();
  const { ledger, file } = begunLedger(t, { putOnDisk });
  const cut = copyOf(file, path.join(scratchFolder(t), 'ledger.db'));
  rmSync(`${cut}-wal`, { force: true });
  const entry = ledger.record(mouseAdded());
  ledger.flush();
  ledger.open(entry, mouseDeliberation());
  put(ledger.keep());
  copyFileSync(keptFileOf(file), keptFileOf(cut));
  Ledger.open(cut).close('after the power cut');
  const history = History.open(cut);
  t.deepEqual(
    [...history.query()].map(({ id, event, deliberation }) => ({ id, event, deliberation })),
    [{ id: entry, event: mouseAdded(), deliberation: mouseDeliberation() }],
  );
  history.close();
  ledger.close('test over');
});

test('where more has been written than memory keeps until it is on disk, a decision rests on the log', async t => {
  const { putOnDisk, end } = slowDisk();
  const { ledger, file } = begunLedger(t, { putOnDisk });
  for (let n = 0; n <= UNSETTLED_MAX_ROWS + BATCH_MAX_ROWS; n++) ledger.record(mouseAdded());
  ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
  const restsOn = ledger.keep();
  t.is(readlinkSync(`/proc/self/fd/${restsOn.fd}`), `${file}-wal`);
  t.is(ledger.stats().heldRows, 0, 'all stands in the log');
  put(restsOn);
  t.is(ledger.keep().fd, undefined);
  await end();
  ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
  t.is(readlinkSync(`/proc/self/fd/${ledger.keep().fd}`), keptFileOf(file));
  ledger.close('test over');
});

test('what is too long to be kept in a piece goes into its tables at once', async t => {
  const { ledger, file } = begunLedger(t);
  ledger.record(mouseAdded({ env: { BIG: 'x'.repeat(KEPT_MAX_BYTES) } }));
  const restsOn = ledger.keep();
  t.is(readlinkSync(`/proc/self/fd/${restsOn.fd}`), `${file}-wal`);
  t.deepEqual([ledger.stats().heldRows, statSync(keptFileOf(file)).size], [0, 0]);
  t.is(await ledger.kept(), 'on-disk');
  ledger.close('test over');
});

test('what was kept is hidden as what is written', async t => {
  const { ledger, file } = begunLedger(t, { hidesSerials: true });
  const env = { ...mouseAdded().env, ID_SERIAL_SHORT: '0815-0816' };
  ledger.record(mouseAdded({ env }));
  t.is(await ledger.kept(), 'on-disk');
  const row = readKeptFile(keptFileOf(file)).at(-1);
  t.true(row?.kind === 'uevent' && !JSON.stringify(row.event.env).includes('0816'));
  t.false(readFileSync(keptFileOf(file), 'latin1').includes('0815-0816'));
  ledger.close('test over');
});

test('whole pieces behind a torn one are gone once a daemon has opened the ledger: their ids are given out again', t => {
  const { ledger, file } = begunLedger(t);
  ledger.close('test over');
  const torn = pieceWith(10).fill(0, 8, 12);
  writeFileSync(keptFileOf(file), Buffer.concat([torn, pieceWith(11)]));
  const again = Ledger.open(file);
  again.beginRun(RUN);
  t.is(statSync(keptFileOf(file)).size, 0);
  again.close('test over');
  const history = History.open(file);
  t.is(history.lastId(), 4);
  history.close();
});

test('a whole piece that has no rows in it is damage, and all of the ledger is set aside', t => {
  for (const payload of [Buffer.from('what is this'), serialize('a text'), serialize([{ kind: 'run' }])]) {
    const { ledger, file } = begunLedger(t);
    ledger.close('test over');
    writeFileSync(keptFileOf(file), piece(payload));
    t.regex(t.throws(() => History.open(file), { code: 'LEDGER_DAMAGED' })?.message ?? '', /kept rows/);
    const again = Ledger.open(file);
    const { movedTo = '', reason = '' } = again.setAside ?? {};
    t.regex(reason, /kept rows/);
    t.deepEqual(readFileSync(keptFileOf(movedTo)), piece(payload));
    t.is(statSync(keptFileOf(file)).size, 0);
    again.close('test over');
  }
});

test('a ledger that is damaged at the start takes along what was kept beside it', t => {
  const { ledger, file } = begunLedger(t);
  ledger.close('test over');
  writeFileSync(file, 'Dear diary. '.repeat(1000));
  writeFileSync(keptFileOf(file), pieceWith(7));
  const again = Ledger.open(file);
  again.beginRun(RUN);
  again.close('test over');
  const history = History.open(file);
  t.is(history.lastId(), 3, 'run, what was damaged, and its end');
  history.close();
  t.deepEqual(
    globSync(`${file}.damaged-*-kept`).map(each => idsIn(readFileSync(each))),
    [[7]],
  );
});

test('a file of kept rows that cannot be read is an error, for who writes and who reads', t => {
  const { ledger, file } = begunLedger(t);
  ledger.close('test over');
  rmSync(keptFileOf(file));
  mkdirSync(keptFileOf(file));
  for (const open of [() => Ledger.open(file), () => History.open(file)])
    t.regex(t.throws(open, { code: 'FILE_UNREADABLE' })?.message ?? '', /EISDIR/);
});

test('who takes a ledger away takes along what was kept beside it', t => {
  const { ledger, file } = begunLedger(t);
  ledger.close('test over');
  appendFileSync(keptFileOf(file), pieceWith(7, 8));
  rmSync(file);
  Ledger.open(file).close('made anew');
  const history = History.open(file);
  t.is(history.lastId(), 0);
  history.close();
});

test('what is pruned is gone from the file of kept rows as well', async t => {
  const { ledger, file } = begunLedger(t);
  for (let n = 0; n < 20; n++) ledger.record(mouseAdded());
  put(ledger.keep());
  t.is([...ledger.prune({ maxEvents: 10 })].length, 1);
  t.is(await ledger.durable(), 'on-disk');
  t.is(statSync(keptFileOf(file)).size, 0);
  ledger.close('test over');
});

test('what an usherd of before kept in a table is taken over, and the table is empty from then on', t => {
  const { ledger, file } = begunLedger(t);
  const entry = ledger.record(mouseAdded());
  ledger.flush();
  const killed = copyOf(file, path.join(scratchFolder(t), 'ledger.db'));
  ledger.close('test over');
  const rows: Row[] = [
    { kind: 'uevent', id: entry, run: 1, event: mouseAdded() },
    { kind: 'decision', id: entry + 1, entry, atMs: 0, deliberation: mouseDeliberation() },
  ];
  const db = new Database(killed);
  db.prepare('INSERT INTO kept VALUES (?, ?)').run(entry + 1, serialize(rows));
  db.pragma('user_version = 5');
  db.close();
  const looks = (): void => {
    const history = History.open(killed);
    t.deepEqual(
      [...history.query()].map(({ id, event, deliberation }) => ({ id, event, deliberation })),
      [{ id: entry, event: mouseAdded(), deliberation: mouseDeliberation() }],
    );
    t.deepEqual(history.verify().problems, []);
    history.close();
  };
  looks();
  Ledger.open(killed).close('taken over');
  looks();
  const after = new Database(killed, { readonly: true });
  t.is(after.prepare('SELECT count(*) FROM kept').pluck().get(), 0);
  after.close();
});
