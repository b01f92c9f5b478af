import path from 'node:path';
import test from 'ava';
import Database from 'better-sqlite3';
import type { PendingItem } from '../../../core/pipeline/4-policy/pending-queue.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { MIGRATIONS } from '../../../core/pipeline/7-ledger/migrations.ts';
import { asDeliberation, type RequestFacts } from '../../../core/pipeline/7-ledger/request.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { begunLedger, MOUSE, MOUSE_MODALIAS, mouseAdded, mouseDeliberation, scratchFolder } from './samples.ts';

const REQUEST: RequestFacts = { asker: 'kernel', asked: 'net-pf-21', uid: 0 };

test('a request is read back with all that was decided and done, and is no uevent', t => {
  const { ledger, file } = begunLedger(t, { now: () => 1000 });
  const { candidates, decisions, plans } = mouseDeliberation();
  const asked = { candidates, decisions, plans };
  const id = ledger.request(REQUEST);
  ledger.open(id, asDeliberation(REQUEST, asked));
  ledger.commit(id, [{ kind: 'skipped', module: moduleName('usbhid'), reason: 'denied' }]);
  const approval: RequestFacts = { asker: 'approval', asked: MOUSE_MODALIAS, uid: 1000, devpath: MOUSE };
  const open = ledger.request(approval);
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(history.requests(), [
    { ...approval, id: open, atMs: 1000, state: 'recorded', outcomes: [] },
    {
      ...REQUEST,
      id,
      atMs: 1000,
      state: 'ended',
      deliberation: asked,
      result: 'skipped',
      outcomes: [{ kind: 'skipped', module: moduleName('usbhid'), reason: 'denied' }],
    },
  ]);
  t.deepEqual([...history.query()], []);
  history.close();
});

test('the latest decision about a module or modalias is a device’s, also when a request came later', t => {
  const { ledger, file } = begunLedger(t);
  const entry = ledger.record(mouseAdded());
  ledger.open(entry, mouseDeliberation());
  ledger.commit(entry, []);
  const { candidates, decisions, plans } = mouseDeliberation();
  const facts: RequestFacts = { asker: 'approval', asked: MOUSE_MODALIAS, uid: 0, devpath: MOUSE };
  const request = ledger.request(facts);
  ledger.open(request, asDeliberation(facts, { candidates, decisions, plans }));
  ledger.commit(request, []);
  ledger.close('test over');
  const history = History.open(file);
  for (const subject of [{ module: moduleName('usbhid') }, { modalias: MOUSE_MODALIAS }, { devpath: MOUSE }])
    t.is(history.lastDecisionFor(subject)?.id, entry);
  history.close();
});

test('what waits is there after a restart, until its end is written', t => {
  const { ledger, file } = begunLedger(t, { now: () => 5 });
  const question: Omit<PendingItem, 'id' | 'heldAtMs'> = {
    entry: 3,
    subsystem: 'usb',
    modules: [moduleName('usb_storage')],
    reasons: ['because'],
    seen: { devpath: MOUSE, modalias: MOUSE_MODALIAS },
    expiresAtMs: 99,
  };
  const [first, second] = [ledger.pend(question), ledger.pend(question)];
  ledger.endPending(first.id, 'approved', 0);
  ledger.close('test over');
  const again = Ledger.open(file);
  t.deepEqual(again.openPending(), [second]);
  t.deepEqual(second, { ...question, id: second.id, heldAtMs: 5 });
  again.endPending(second.id, 'expired');
  again.close('test over');
  const history = History.open(file);
  t.deepEqual(history.pending(), []);
  history.close();
});

test('a ledger from before there were requests is read as it is, and brought up to date by its writer', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const db = new Database(file);
  db.exec(MIGRATIONS[0] ?? '');
  db.pragma('application_id = 0x55534852');
  db.pragma('user_version = 1');
  db.close();
  const old = History.open(file);
  t.deepEqual([old.requests(), old.pending(), old.lastId()], [[], [], 0]);
  old.close();
  const ledger = Ledger.open(file);
  ledger.request(REQUEST);
  t.is(ledger.policyHash(), undefined);
  ledger.incident({ kind: 'policy-changed', change: 'forbid x', uid: 0, hash: 'aa' });
  ledger.incident({ kind: 'policy-edited', file: 'f', hash: 'bb' });
  t.is(ledger.policyHash(), 'bb');
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(
    history.requests().map(({ asked }) => asked),
    ['net-pf-21'],
  );
  history.close();
});
