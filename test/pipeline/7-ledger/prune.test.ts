import test, { type ExecutionContext } from 'ava';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { PRUNED_AT_ONCE } from '../../../core/pipeline/7-ledger/prune.ts';
import type { PrunedRange } from '../../../core/pipeline/7-ledger/pruned.ts';
import type { Retention } from '../../../core/pipeline/7-ledger/retention.ts';
import { TextSweep } from '../../../core/pipeline/7-ledger/text-sweep.ts';
import type { Verification } from '../../../core/pipeline/7-ledger/verify.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { mouseAdded, mouseDeliberation, MOUSE, RUN, scratchFolder } from './samples.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);

/** `days` days with ten events, one of them decided and bound, and one incident each; a batch a day. */
function days(t: ExecutionContext, count: number): { ledger: Ledger; file: string } {
  const file = path.join(scratchFolder(t), 'ledger.db');
  let nowMs = START;
  const ledger = Ledger.open(file, { now: () => nowMs });
  ledger.beginRun({ ...RUN, startedAtMs: START });
  for (let n = 0; n < count * 10; n++) {
    nowMs = START + n * (DAY / 10);
    const id = ledger.record(mouseAdded({ receivedAtMs: nowMs }));
    if (n % 10 === 3) {
      ledger.open(id, mouseDeliberation());
      ledger.commit(id, [{ kind: 'inserted', module: moduleName('usbhid'), tookMs: 1 }]);
      ledger.bound(id, MOUSE, 'usbhid');
    }
    if (n % 10 === 6) ledger.incident({ kind: 'limit-reached', limit: 'x', bound: n, unit: 'y' });
    if (n % 10 === 9) ledger.flush();
  }
  return { ledger, file };
}

function look<Answer>(file: string, ask: (history: History) => Answer): Answer {
  const history = History.open(file);
  try {
    return ask(history);
  } finally {
    history.close();
  }
}

function verified(file: string): Verification {
  return look(file, history => history.verify());
}

test('each kind is kept as long as it is said, what is pruned is told, and the chain stays whole', t => {
  const { ledger, file } = days(t, 20);
  const retention = { eventDays: 5, decisionDays: 10, incidentDays: 15 };
  const told = look(file, history => history.prunable(retention, START + 20 * DAY));
  const [range, ...more] = [...ledger.prune(retention)];
  t.is(more.length, 0);
  // Now is the last tenth of day 20: what was older than five days ago is 149 events, of which 15 had decisions.
  t.deepEqual(range?.counts, { events: 134, decisions: 40, incidents: 5 });
  t.deepEqual([told.decisions, told.incidents], [40, 5]);
  ledger.close('test over');
  const { problems, prunedRows } = verified(file);
  t.deepEqual([problems, prunedRows], [[], 179]);
  look(file, history => {
    const oldest = (filter: Parameters<History['query']>[0]): number =>
      ([...history.query({ ...filter, order: 'oldest-first', limit: 1 })][0]?.event.receivedAtMs ?? 0) - START;
    t.true(oldest({ result: 'recorded' }) > 14 * DAY);
    t.true(oldest({ result: 'loaded' }) > 9 * DAY && oldest({ result: 'loaded' }) < 11 * DAY);
    t.is([...history.query({ module: moduleName('hid') })].length, 10);
    const kinds = history.incidents().map(({ incident }) => incident.kind);
    t.deepEqual([kinds[0], kinds.length], ['pruned', 16]);
  });
});

test('when whole days are pruned their seals go, the chain jumps over them, and later prunings join on', t => {
  const { ledger, file } = days(t, 30);
  const all = (daysKept: number): Retention => ({
    eventDays: daysKept,
    decisionDays: daysKept,
    incidentDays: daysKept,
  });
  const ranges: PrunedRange[] = [];
  for (const kept of [20, 10, 5]) ranges.push(...ledger.prune(all(kept)));
  t.is(ranges.length, 3);
  t.true(ranges.every(({ seals }) => seals.length === 1));
  ledger.record(mouseAdded());
  ledger.close('test over');
  const { problems, seals } = verified(file);
  t.deepEqual(problems, []);
  t.true(seals < 15);
  const db = new Database(file);
  db.exec('DELETE FROM uevent WHERE id = (SELECT min(id) FROM uevent)');
  db.close();
  t.deepEqual(
    verified(file).problems.map(({ kind }) => kind),
    ['removed'],
  );
});

test('rows taken by hand where a pruning was are found by their number', t => {
  const { ledger, file } = days(t, 10);
  t.is([...ledger.prune({ eventDays: 3 })].length, 1);
  ledger.close('test over');
  const db = new Database(file);
  db.exec('DELETE FROM uevent WHERE id = (SELECT min(id) FROM uevent)');
  db.close();
  const [problem] = verified(file).problems;
  t.is(problem?.kind, 'pruned-miscount');
});

test('a pruning told by other hands is not signed with the key', t => {
  const folder = scratchFolder(t);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const [key, pub] = [path.join(folder, 'key'), path.join(folder, 'pub')];
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(pub, publicKey.export({ type: 'spki', format: 'pem' }));
  const { ledger, file } = days(t, 10);
  t.is([...ledger.prune({ eventDays: 8 }, { keyFile: key })].length, 1);
  t.deepEqual(
    look(file, history => history.verify(pub).problems),
    [],
  );
  t.is([...ledger.prune({ eventDays: 5 })].length, 1);
  ledger.close('test over');
  t.deepEqual(
    look(file, history => history.verify(pub).problems.map(({ kind }) => kind)),
    ['pruned-unsigned'],
  );
});

test('events are kept by their number, and the file by its size', t => {
  const { ledger, file } = days(t, 40);
  t.is([...ledger.prune({ maxEvents: 100 })].length, 1);
  t.is(
    look(file, history => [...history.query({ sinceMs: START + 30 * DAY })].length),
    100,
  );
  const used = (): number => {
    const db = new Database(file, { readonly: true });
    const [pages, free] = ['page_count', 'freelist_count'].map(name => Number(db.pragma(name, { simple: true })));
    db.close();
    return ((pages ?? 0) - (free ?? 0)) * 4096;
  };
  const before = used();
  t.true([...ledger.prune({ maxBytes: 1 })].length > 0);
  t.true(used() < before);
  ledger.close('test over');
  t.deepEqual(verified(file).problems, []);
});

test('whatever is pruned in whatever order, the chain agrees and nothing that is kept was taken', t => {
  const bound = fc.option(fc.integer({ min: 0, max: 14 }), { nil: undefined });
  const retentions = fc.array(
    fc.record({
      eventDays: bound,
      decisionDays: bound,
      incidentDays: bound,
      maxEvents: fc.option(fc.integer({ min: 0, max: 120 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(retentions, each => {
      const { ledger, file } = days(t, 12);
      for (const retention of each) {
        for (const _ of ledger.prune(retention)) continue;
        ledger.record(mouseAdded());
        // Between the steps of a sweep events come that say what pruned ones said.
        for (const _ of ledger.sweepTexts()) ledger.record(mouseAdded({ synthUuid: 'said again' }));
      }
      ledger.close('test over');
      const { problems } = verified(file);
      t.deepEqual(problems, []);
      const least = Math.min(...each.map(({ decisionDays }) => decisionDays ?? 99));
      const kept = look(file, history => [...history.query({ result: 'loaded', sinceMs: START + (12 - least) * DAY })]);
      t.is(kept.length, Math.min(12, least));
    }),
    { numRuns: 25 },
  );
});

test('texts of pruned rows are gone from the file, and can be said again', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  let nowMs = START;
  const ledger = Ledger.open(file, { now: () => nowMs });
  ledger.beginRun({ ...RUN, startedAtMs: START });
  const say = (synthUuid: string): void => {
    ledger.record(mouseAdded({ receivedAtMs: nowMs, synthUuid }));
  };
  say('told on the first day');
  say('told on both days');
  nowMs += 5 * DAY;
  say('told on both days');
  t.is([...ledger.prune({ eventDays: 2 })].length, 1);
  const taken = [...ledger.sweepTexts()].reduce((sum, count) => sum + count, 0);
  t.is(taken, 1);
  say('told on the first day');
  ledger.flush();
  t.deepEqual(
    look(file, history => [...history.query()].map(({ event }) => event.synthUuid)),
    ['told on the first day', 'told on both days'],
  );
  nowMs += 5 * DAY;
  t.is([...ledger.prune({ eventDays: 2 })].length, 1);
  t.is(
    [...ledger.sweepTexts()].reduce((sum, count) => sum + count, 0),
    4,
    'both, and the names and values of an environment that nobody has now',
  );
  ledger.close('test over');
  t.deepEqual(verified(file).problems, []);
  t.false(readFileSync(file, 'latin1').includes('told on'), 'not in unused pages either');
});

test('a text that is said again while a sweep looks for those nobody says is kept', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const ledger = Ledger.open(file, { now: () => START + 5 * DAY });
  ledger.beginRun({ ...RUN, startedAtMs: START });
  ledger.record(mouseAdded({ receivedAtMs: START, synthUuid: 'said again' }));
  t.is([...ledger.prune({ eventDays: 2 })].length, 1);
  const db = new Database(file);
  const sweep = new TextSweep(db);
  t.false(sweep.look());
  ledger.record(mouseAdded({ receivedAtMs: START + 5 * DAY, synthUuid: 'said again' }));
  ledger.flush();
  t.is(sweep.take(), 0);
  t.is(sweep.take(), undefined);
  db.close();
  ledger.close('test over');
  t.deepEqual(verified(file).problems, []);
});

test('a pruning goes in stretches, so that events can be written between them', t => {
  t.true(PRUNED_AT_ONCE < 100_000);
  const { ledger } = days(t, 3);
  let stretches = 0;
  for (const range of ledger.prune({ eventDays: 0 })) {
    stretches += 1;
    t.true(range.lastId - range.firstId < PRUNED_AT_ONCE);
    ledger.record(mouseAdded());
  }
  t.is(stretches, 1);
  t.is(ledger.close('test over'), 'on-disk');
});
