import test from 'ava';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { UsherdError } from '../../../core/errors.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { BATCH_MAX_ROWS, type LedgerTrouble } from '../../../core/pipeline/7-ledger/write-behind.ts';
import { HELD_MAX_ROWS } from '../../../core/pipeline/7-ledger/row-queue.ts';
import { findWriter } from '../../../core/pipeline/7-ledger/writer-lock.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { begunLedger, mouseAdded, mouseDeliberation, MOUSE, RUN, scratchFolder } from './samples.ts';

test('a decision is in the file when durable has answered, before it is ended', async t => {
  const { ledger, file } = begunLedger(t);
  const id = ledger.record(mouseAdded());
  ledger.open(id, mouseDeliberation());
  t.is(await ledger.durable(), 'on-disk');
  const history = History.open(file);
  const { state, deliberation } = history.entryById(id) ?? {};
  t.deepEqual({ state, deliberation }, { state: 'open', deliberation: mouseDeliberation() });
  history.close();
  ledger.close('test over');
});

test('decisions that wait in the same turn share one commit', async t => {
  const { ledger, file } = begunLedger(t);
  ledger.flush();
  const walBefore = statSync(`${file}-wal`).size;
  const waits = Array.from({ length: 50 }, () => {
    ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
    return ledger.durable();
  });
  t.deepEqual(new Set(await Promise.all(waits)), new Set(['on-disk']));
  // Fifty commits would write the last page of every table fifty times: well over a hundred pages of 4 KiB.
  t.true(statSync(`${file}-wal`).size - walBefore < 60 * 4096);
  ledger.close('test over');
});

test('plain events are written when a batch is full, without being asked', t => {
  const { ledger } = begunLedger(t);
  for (let n = 0; n < BATCH_MAX_ROWS; n++) ledger.record(mouseAdded());
  const { writtenRows, heldRows, lostRows } = ledger.stats();
  t.deepEqual({ writtenRows, heldRows, lostRows }, { writtenRows: BATCH_MAX_ROWS, heldRows: 1, lostRows: 0 });
  ledger.close('test over');
});

test('a lone plain event is written after its wait, and then nothing ticks', async t => {
  const { ledger } = begunLedger(t);
  ledger.record(mouseAdded());
  while (ledger.stats().heldRows > 0) await new Promise(resolve => setTimeout(resolve, 20));
  t.deepEqual(
    process.getActiveResourcesInfo().filter(kind => kind === 'Timeout'),
    [],
  );
  ledger.close('test over');
});

test('ids go on where the file ends, and a second run sees the first', t => {
  const { ledger, file } = begunLedger(t);
  const first = ledger.record(mouseAdded());
  ledger.close('stopped by SIGTERM');
  const again = Ledger.open(file);
  again.beginRun({ ...RUN, startedAtMs: RUN.startedAtMs + 60_000 });
  t.true(again.record(mouseAdded()) > first);
  again.flush();
  const history = History.open(file);
  const [second, earlier] = history.runs();
  t.is(second?.endReason, undefined);
  t.deepEqual([earlier?.bootId, earlier?.endReason], [RUN.bootId, 'stopped by SIGTERM']);
  history.close();
  again.close('test over');
});

test('an entry left open by a daemon that was killed reads as interrupted, and its decision is there', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const script = `
    import { Ledger } from '${path.resolve('core/pipeline/7-ledger/ledger.ts')}';
    import { RUN, mouseAdded, mouseDeliberation } from '${path.resolve('test/pipeline/7-ledger/samples.ts')}';
    const ledger = Ledger.open('${file}');
    ledger.beginRun(RUN);
    ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
    await ledger.kept();
    process.kill(process.pid, 'SIGKILL');
  `;
  t.is(spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }).signal, 'SIGKILL');
  t.is(findWriter(file), undefined);
  const looks = (when: string): void => {
    const history = History.open(file);
    const entries = [...history.query({ result: 'interrupted' })];
    t.deepEqual(
      entries.map(({ event, state, deliberation }) => ({ event, state, deliberation })),
      [{ event: mouseAdded(), state: 'interrupted', deliberation: mouseDeliberation() }],
      when,
    );
    t.deepEqual(history.verify().problems, [], when);
    history.close();
  };
  const before = readFileSync(file);
  looks('as the daemon left it, which had not written it into the tables');
  t.deepEqual(readFileSync(file), before);
  Ledger.open(file).close('test over');
  looks('once a daemon has opened it');
});

test('the folder of a ledger is made, and its file is not for everybody', t => {
  const file = path.join(scratchFolder(t), 'var', 'lib', 'ledger.db');
  Ledger.open(file).close('test over');
  t.is(statSync(file).mode & 0o007, 0);
  const below = path.join(file, 'ledger.db');
  t.is(t.throws(() => Ledger.open(below), { instanceOf: UsherdError }).code, 'FILE_UNREADABLE');
});

test('a second writer is refused and told who writes', t => {
  const { ledger, file } = begunLedger(t);
  t.is(findWriter(file), process.pid);
  const error = t.throws(() => Ledger.open(file), { instanceOf: UsherdError });
  t.is(error.code, 'LEDGER_BUSY');
  t.is(error.message, `${file}: process ${process.pid} writes this ledger`);
  ledger.close('test over');
  t.is(findWriter(file), undefined);
  Ledger.open(file).close('test over');
});

test('a ledger of a newer usherd is refused by writer and reader, and left as it is', t => {
  const { ledger, file } = begunLedger(t);
  ledger.close('test over');
  const db = new Database(file);
  db.pragma('user_version = 99');
  db.close();
  const before = readFileSync(file);
  for (const open of [() => Ledger.open(file), () => History.open(file)]) {
    const error = t.throws(open, { instanceOf: UsherdError });
    t.is(error.code, 'LEDGER_NEWER');
    t.regex(error.message, /its schema is version 99, this usherd knows up to 6$/);
  }
  t.deepEqual(readFileSync(file), before);
});

const damages: readonly [string, (whole: Buffer) => Buffer][] = [
  ['that is no database', () => Buffer.from('Dear diary, today a mouse was plugged in.\n'.repeat(200))],
  ['that is cut off', whole => whole.subarray(0, 5000)],
  [
    'whose pages were overwritten',
    whole => Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(whole.length - 4096, 0x5a)]),
  ],
];
for (const [what, damage] of damages) {
  test(`a file ${what} is set aside unchanged, a new one is begun, and it says so`, t => {
    const { ledger, file } = begunLedger(t);
    for (let n = 0; n < 500; n++) ledger.record(mouseAdded());
    ledger.flush();
    const copy = path.join(scratchFolder(t), 'ledger.db');
    const source = new Database(file, { readonly: true });
    source.exec(`VACUUM INTO '${copy}'`);
    source.close();
    ledger.close('test over');
    const damaged = damage(readFileSync(copy));
    writeFileSync(copy, damaged);

    const refusal = t.throws(() => [...History.open(copy).query()], { instanceOf: UsherdError });
    t.is(refusal.code, 'LEDGER_DAMAGED');
    const fresh = Ledger.open(copy);
    const { movedTo = '' } = fresh.setAside ?? {};
    t.deepEqual(readFileSync(movedTo), damaged);
    fresh.beginRun(RUN);
    fresh.flush();
    const history = History.open(copy);
    const [incident] = history.incidents();
    t.is(history.lastId(), 2, 'numbers begin anew');
    t.deepEqual(incident?.incident, { kind: 'damaged-ledger', movedTo, reason: fresh.setAside?.reason ?? '' });
    history.close();
    fresh.close('test over');
  });
}

test('while the disk takes nothing the newest rows wait in memory, and are written when it does', async t => {
  const troubles: LedgerTrouble[] = [];
  const { ledger, file } = begunLedger(t, { onTrouble: trouble => troubles.push(trouble) });
  ledger.flush();
  // Another connection that holds the write lock is a disk that says no.
  const blocker = new Database(file);
  blocker.exec('BEGIN IMMEDIATE');
  ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
  t.is(await ledger.durable(), 'in-memory');
  for (let n = 0; n < HELD_MAX_ROWS; n++) ledger.record(mouseAdded());
  const lostRows = ledger.stats().lostRows;
  t.is(ledger.stats().heldRows + lostRows, HELD_MAX_ROWS + 2);
  t.true(lostRows > 0 && ledger.stats().heldRows <= HELD_MAX_ROWS);
  blocker.exec('ROLLBACK');
  blocker.close();

  t.is(ledger.flush(), 'on-disk');
  t.deepEqual(
    troubles.map(trouble => [
      trouble.kind,
      trouble.kind === 'not-written' ? trouble.code : trouble.kind === 'written-again' && trouble.lostRows,
    ]),
    [
      ['not-written', 'SQLITE_BUSY'],
      ['written-again', lostRows],
    ],
  );
  ledger.flush();
  const history = History.open(file);
  t.deepEqual(
    history.incidents().map(({ incident }) => incident),
    [{ kind: 'rows-lost', count: lostRows, cause: 'the file took no rows, and memory holds 20000 at most' }],
  );
  history.close();
  ledger.close('test over');
});

test('a driver that took the device stands with the entry that brought its module', t => {
  const { ledger, file } = begunLedger(t, { now: () => 1_795_413_700_200 });
  const id = ledger.record(mouseAdded());
  ledger.open(id, mouseDeliberation());
  ledger.commit(id, [
    { kind: 'inserted', module: moduleName('hid'), tookMs: 3.25 },
    { kind: 'inserted', module: moduleName('usbhid'), tookMs: 1.5 },
  ]);
  ledger.bound(id, MOUSE, 'usbhid');
  ledger.bound(undefined, MOUSE, 'usb-storage');
  ledger.close('test over');
  const history = History.open(file);
  const { state, result, binds } = history.entryById(id) ?? {};
  const bind = { devpath: MOUSE, driver: 'usbhid', atMs: 1_795_413_700_200 };
  t.deepEqual({ state, result, binds }, { state: 'ended', result: 'loaded', binds: [bind] });
  t.deepEqual(history.bindsOf(MOUSE), [bind, { ...bind, driver: 'usb-storage' }]);
  history.close();
});

test('on a full disk the newest rows wait in memory, and what was written stays readable', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const script = `
    import { Ledger } from '${path.resolve('core/pipeline/7-ledger/ledger.ts')}';
    import { RUN, mouseAdded, mouseDeliberation } from '${path.resolve('test/pipeline/7-ledger/samples.ts')}';
    const troubles = [];
    const ledger = Ledger.open('${file}', { onTrouble: trouble => troubles.push(trouble) });
    ledger.beginRun(RUN);
    for (let n = 0; n < 20_000; n++) ledger.record(mouseAdded({ synthUuid: 'uuid-' + n }));
    ledger.open(ledger.record(mouseAdded()), mouseDeliberation());
    const durability = await ledger.durable();
    const { writtenRows, heldRows, lostRows } = ledger.stats();
    console.log(JSON.stringify({ troubles, durability, writtenRows, heldRows, lostRows }));
  `;
  // No file may grow beyond 1 MiB: writes fail as on a full disk, after some batches.
  const limited = ['-c', 'ulimit -f 2048; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script];
  const { stdout, status, stderr } = spawnSync('sh', limited, { encoding: 'utf8' });
  t.is(status, 0, stderr);
  const told = JSON.parse(stdout) as {
    troubles: readonly LedgerTrouble[];
    durability: string;
    writtenRows: number;
    heldRows: number;
    lostRows: number;
  };
  t.is(told.durability, 'in-memory');
  t.is(told.troubles[0]?.kind, 'not-written');
  // 20,001 events, the run and the decision.
  t.is(told.writtenRows + told.heldRows + told.lostRows, 20_003);
  t.true(told.writtenRows >= BATCH_MAX_ROWS);
  const again = Ledger.open(file);
  t.is(again.setAside, undefined);
  const history = History.open(file);
  t.is([...history.query()].length, told.writtenRows - 1);
  history.close();
  again.close('test over');
});
