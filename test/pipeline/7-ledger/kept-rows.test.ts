import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { hasKeptRows, KeptRows, readKeptRows } from '../../../core/pipeline/7-ledger/kept-rows.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { MIGRATIONS } from '../../../core/pipeline/7-ledger/migrations.ts';
import type { Row } from '../../../core/pipeline/7-ledger/row-queue.ts';
import { deliberations, outcomes, uevents } from './arbitraries.ts';
import { begunLedger, mouseAdded, mouseDeliberation, scratchFolder } from './samples.ts';

function emptyTables(): Database.Database {
  const db = new Database(':memory:');
  for (const step of MIGRATIONS) db.exec(step);
  return db;
}

/** What a power cut now would leave: the file and its log as they are. */
function copyOf(file: string, to: string): string {
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) copyFileSync(file + suffix, to + suffix);
  return to;
}

test('rows come back as exactly what was kept', t => {
  const cases = fc.array(fc.tuple(uevents, deliberations, fc.array(outcomes, { maxLength: 3 })), { maxLength: 4 });
  fc.assert(
    fc.property(cases, cut => {
      const rows: Row[] = cut.flatMap(([event, deliberation, ended], n): Row[] => [
        { kind: 'uevent', id: 3 * n + 1, run: 1, event },
        { kind: 'decision', id: 3 * n + 2, entry: 3 * n + 1, atMs: n, deliberation },
        { kind: 'ending', id: 3 * n + 3, entry: 3 * n + 1, atMs: n, result: 'loaded', outcomes: ended },
      ]);
      const db = emptyTables();
      const kept = new KeptRows(db);
      kept.add(rows.slice(0, 2));
      kept.add(rows.slice(2));
      t.deepEqual(readKeptRows(db), rows);
      kept.release(rows.at(-1)?.id ?? 0);
      t.false(hasKeptRows(db));
      db.close();
    }),
    { numRuns: 60 },
  );
});

test('a decision is kept before its tables are written, leaves with them, and a cut at any moment has it once', async t => {
  const { ledger, file } = begunLedger(t);
  const folder = scratchFolder(t);
  const entry = ledger.record(mouseAdded());
  ledger.open(entry, mouseDeliberation());
  t.is(await ledger.kept(), 'on-disk');
  t.is(ledger.stats().writtenRows, 0);
  const first = copyOf(file, path.join(folder, 'kept'));
  ledger.commit(entry, []);
  const late = ledger.record(mouseAdded({ synthUuid: '1' }));
  t.is(await ledger.kept(), 'on-disk');
  const second = copyOf(file, path.join(folder, 'kept-twice'));
  ledger.record(mouseAdded({ synthUuid: '2' }));
  ledger.flush();
  const third = copyOf(file, path.join(folder, 'written'));
  ledger.close('test over');
  const closed = new Database(file, { readonly: true });
  t.false(hasKeptRows(closed));
  closed.close();
  const cuts = [
    { cut: first, state: 'interrupted', events: [entry] },
    { cut: second, state: 'ended', events: [entry, late] },
    { cut: third, state: 'ended', events: [entry, late, late + 1] },
  ];
  for (const { cut, state, events } of cuts) {
    const again = Ledger.open(cut);
    t.is(again.setAside, undefined);
    again.close('looked at');
    const history = History.open(cut);
    t.deepEqual(
      [...history.query({ order: 'oldest-first' })].map(({ id }) => Number(id)),
      events.map(Number),
    );
    t.is(history.entryById(entry)?.state, state as 'ended');
    t.deepEqual(history.entryById(entry)?.deliberation, mouseDeliberation());
    t.deepEqual(history.verify().problems, []);
    history.close();
  }
});

test('what was kept is hidden as what is written', async t => {
  const { ledger, file } = begunLedger(t, { hidesSerials: true });
  const env = { ...mouseAdded().env, ID_SERIAL_SHORT: '0815-0816' };
  ledger.record(mouseAdded({ env }));
  t.is(await ledger.kept(), 'on-disk');
  const db = new Database(file, { readonly: true });
  const row = readKeptRows(db).at(-1);
  t.true(row?.kind === 'uevent' && !JSON.stringify(row.event.env).includes('0816'));
  db.close();
  ledger.close('test over');
});

test('a kept piece that is no such thing is damage, and the file is set aside', async t => {
  const { ledger, file } = begunLedger(t);
  ledger.close('test over');
  const db = new Database(file);
  db.prepare('INSERT INTO kept VALUES (?, ?)').run(99, Buffer.from('what is this'));
  db.close();
  t.is(t.throws(() => History.open(file), { code: 'LEDGER_DAMAGED' })?.message.includes('kept rows'), true);
  const again = Ledger.open(file);
  t.regex(again.setAside?.reason ?? '', /kept rows/);
  again.close('test over');
});
