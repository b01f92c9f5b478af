import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UsherdError } from '../../../core/errors.ts';
import type { GroupKey } from '../../../core/pipeline/7-ledger/count-by.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import type { HistoryFilter } from '../../../core/pipeline/7-ledger/history-filter.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { VIEWS } from '../../../core/pipeline/7-ledger/views.ts';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { begunLedger, mouseAdded, mouseDeliberation, MOUSE, MOUSE_MODALIAS, RUN, scratchFolder } from './samples.ts';

const DAY = 86_400_000;
/** 2026-03-01T00:00Z, a Sunday. */
const MARCH = Date.UTC(2026, 2, 1);
const CARD = '/devices/pci0000:00/0000:00:1f.6/net/eth0' as Devpath;
const RENAMED = '/devices/pci0000:00/0000:00:1f.6/net/lan0' as Devpath;
const OTHER_MOUSE = 'usb:v1234p5678d0100dc00dsc00dp00ic03isc01ip02in00';

/**
 * Two boots. In the first a mouse is plugged in on 1 March and driven by usbhid, then by hid-fancy, and removed on the 5th; a network
 * card is there and renamed. In the second, from 10 March on, another mouse is in the same port, and its driver is denied.
 */
function twoBoots(t: ExecutionContext): History {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const ledger = Ledger.open(file, { now: () => MARCH + 20 * DAY });
  ledger.beginRun({ ...RUN, startedAtMs: MARCH - 1 });
  const event = (atMs: number, changes: Partial<Uevent>, env: Record<string, string> = {}): Uevent => {
    const whole = mouseAdded({ ...changes, receivedAtMs: atMs });
    return { ...whole, env: Object.assign(Object.create(null), whole.env, env) as Record<string, string> };
  };
  const card = { devpath: CARD, subsystem: 'net' };
  const none = { MODALIAS: '' };
  ledger.record(event(MARCH, { ...card, action: 'add', origin: { kind: 'coldplug' } }, none));
  ledger.record(
    event(MARCH + 1000, { devpath: RENAMED, subsystem: 'net', action: 'move' }, { ...none, DEVPATH_OLD: CARD }),
  );
  const plugged = ledger.record(event(MARCH + 3_600_000, {}));
  ledger.open(plugged, mouseDeliberation());
  ledger.commit(plugged, [{ kind: 'inserted', module: moduleName('usbhid'), tookMs: 1 }]);
  ledger.record(event(MARCH + 3_600_100, { action: 'bind' }, { DRIVER: 'usbhid' }));
  ledger.record(event(MARCH + DAY, { action: 'unbind' }));
  ledger.record(event(MARCH + DAY + 1, { action: 'bind' }, { DRIVER: 'hid-fancy' }));
  ledger.record(event(MARCH + 4 * DAY, { action: 'remove' }));
  ledger.flush();
  ledger.beginRun({ ...RUN, bootId: 'second', startedAtMs: MARCH + 9 * DAY, kernelRelease: '6.1.0-19-amd64' });
  ledger.record(event(MARCH + 9 * DAY, { devpath: RENAMED, subsystem: 'net', origin: { kind: 'coldplug' } }, none));
  const second = ledger.record(event(MARCH + 9 * DAY + 5000, {}, { MODALIAS: OTHER_MOUSE }));
  const { device, candidates } = mouseDeliberation();
  const denial = {
    verdict: 'deny',
    module: moduleName('usbhid'),
    by: 'rules',
    reason: 'one mouse is enough',
    place: { file: '/etc/usherd/rules.d/20-mice.rules', line: 7, column: 1 },
  } as const;
  ledger.open(second, {
    device,
    candidates,
    decisions: [{ module: denial.module, verdict: 'deny', winner: denial, opinions: [denial] }],
    plans: [],
  });
  ledger.commit(second, []);
  ledger.close('test over');
  const history = History.open(file);
  t.teardown(() => history.close());
  return history;
}

function ids(history: History, filter: HistoryFilter): readonly number[] {
  return [...history.query(filter)].map(({ id }) => id);
}

test('a device is told by path and modalias: another mouse in the same port is new', t => {
  const history = twoBoots(t);
  const facts = (filter: Parameters<History['devices']>[0]): unknown[] =>
    history
      .devices(filter)
      .map(({ devpath, modalias, firstSeenMs, lastSeenMs, events, adds }) => [
        devpath,
        modalias,
        (firstSeenMs - MARCH) / DAY,
        (lastSeenMs - MARCH) / DAY,
        events,
        adds,
      ]);
  t.deepEqual(facts({ device: '1-2:1.0' }), [
    [MOUSE, OTHER_MOUSE, 9 + 5000 / DAY, 9 + 5000 / DAY, 1, 1],
    [MOUSE, MOUSE_MODALIAS, 1 / 24, 4, 5, 1],
  ]);
  t.deepEqual(
    history.devices({ newSinceMs: MARCH + 8 * DAY }).map(({ modalias }) => modalias),
    [OTHER_MOUSE],
  );
  t.deepEqual(
    history.devices({ subsystem: 'net' }).map(({ devpath }) => devpath),
    [RENAMED, CARD],
  );
});

test('which driver a device had in March is told with its beginning and its end', t => {
  const history = twoBoots(t);
  const spans = history.drivers({ device: MOUSE, sinceMs: MARCH, untilMs: MARCH + 31 * DAY });
  t.deepEqual(spans, [
    { devpath: MOUSE, driver: 'hid-fancy', fromMs: MARCH + DAY + 1, toMs: MARCH + 4 * DAY, ended: 'remove', entry: 9 },
    { devpath: MOUSE, driver: 'usbhid', fromMs: MARCH + 3_600_100, toMs: MARCH + DAY, ended: 'unbind', entry: 7 },
  ]);
  t.deepEqual(history.drivers({ driver: 'usbhid', untilMs: MARCH + 3_600_000 }), []);
});

const moments: readonly [string, number, readonly string[]][] = [
  ['before the record begins', -1, []],
  ['between the card and its rename', 500, [CARD]],
  ['after a rename', 2000, [RENAMED]],
  ['with the mouse, and its driver', 3_600_200, [`${MOUSE} by usbhid`, 'lan0']],
  ['with the mouse under its other driver', 2 * DAY, [`${MOUSE} by hid-fancy`, 'lan0']],
  ['once the mouse has gone', 5 * DAY, ['lan0']],
  ['in the next boot, before the mouse', 9 * DAY + 1, ['lan0']],
  ['in the next boot, with it', 9 * DAY + 6000, [MOUSE, 'lan0']],
];
for (const [what, after, expected] of moments) {
  test(`what was connected at a moment: ${what}`, t => {
    const history = twoBoots(t);
    const { devices } = history.connectedAt(MARCH + after);
    const told = devices.map(({ devpath, driver }) => (driver === undefined ? devpath : `${devpath} by ${driver}`));
    t.deepEqual(
      told,
      expected.map(text => (text === 'lan0' ? RENAMED : text)),
    );
  });
}

const groups: readonly [GroupKey, HistoryFilter, Record<string, number>][] = [
  ['day', {}, { '2026-03-01': 4, '2026-03-02': 2, '2026-03-05': 1, '2026-03-10': 2 }],
  ['hour', { untilMs: MARCH + DAY }, { '2026-03-01T00:00Z': 2, '2026-03-01T01:00Z': 2 }],
  ['subsystem', {}, { usb: 6, net: 3 }],
  ['action', { subsystem: 'usb' }, { add: 2, bind: 2, remove: 1, unbind: 1 }],
  ['origin', { sinceMs: MARCH + 9 * DAY }, { coldplug: 1, kernel: 1 }],
  ['device', { subsystem: 'net' }, { [RENAMED]: 2, [CARD]: 1 }],
  ['module', {}, { usbhid: 2, hid: 1 }],
  ['verdict', {}, { allow: 1, deny: 1 }],
  ['rule', { verdict: 'deny' }, { 'deny /etc/usherd/rules.d/20-mice.rules:7': 1 }],
  ['outcome', {}, { denied: 1, loaded: 1 }],
];
for (const [key, filter, expected] of groups) {
  test(`events are counted by ${key} without being gone through`, t => {
    const counts = twoBoots(t).counts(key, filter);
    t.deepEqual(Object.fromEntries(counts.map(({ key: name, count }) => [name, count])), expected);
  });
}

test('a count that would have to go through all events is refused and says what can be asked', t => {
  const error = t.throws(() => twoBoots(t).counts('module', { device: MOUSE }), { instanceOf: UsherdError });
  t.is(error.code, 'USAGE');
  t.regex(error.message, /counting by module takes no condition on device/);
});

test('entries are found by rule, by boot, and from a boot on', t => {
  const history = twoBoots(t);
  t.deepEqual(ids(history, { rule: '/etc/usherd/rules.d/20-mice.rules:7' }), [13]);
  t.deepEqual(ids(history, { rule: '/etc/usherd/rules.d/20-mice.rules:8' }), []);
  t.deepEqual(ids(history, { bootId: RUN.bootId, order: 'oldest-first' }), [2, 3, 4, 7, 8, 9, 10]);
  t.deepEqual(ids(history, { sinceBootId: 'second' }), [13, 12]);
  t.deepEqual(ids(history, { module: moduleName('usbhid'), verdict: 'deny' }), [13]);
  t.deepEqual(ids(history, { verdict: 'allow', module: moduleName('hid'), untilMs: MARCH }), []);
  t.deepEqual(
    history.boots().map(({ bootId, number, kernelRelease }) => [bootId, number, kernelRelease]),
    [
      ['second', 0, '6.1.0-19-amd64'],
      [RUN.bootId, -1, '6.1.0-18-amd64'],
    ],
  );
});

test('events of a seldom kind are found in order over hours that have none', t => {
  const { ledger, file } = begunLedger(t);
  const seldom: number[] = [];
  for (let n = 0; n < 400; n++) {
    const isSeldom = n % 90 === 7;
    const id = ledger.record(
      mouseAdded({ receivedAtMs: MARCH + n * 600_000, action: isSeldom ? 'offline' : 'change' }),
    );
    if (isSeldom) seldom.push(id);
  }
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(ids(history, { action: 'offline', order: 'oldest-first' }), seldom);
  t.deepEqual(ids(history, { action: 'offline', limit: 2 }), seldom.toReversed().slice(0, 2));
  const after = seldom[3] as HistoryFilter['after'];
  t.deepEqual(ids(history, { action: 'offline', limit: 2, after }), seldom.slice(1, 3).toReversed());
  t.deepEqual(ids(history, { action: 'online' }), []);
  history.close();
});

test('every view of the SQL interface answers, with its documented columns', t => {
  const history = twoBoots(t);
  for (const { name, columns } of VIEWS) t.is(history.sql(`SELECT * FROM ${name}`, 100).columns.join(' '), columns);
  // What was printed once is relied on: this line may only grow.
  const [events] = VIEWS;
  t.true(events?.columns.startsWith('entry run at at_ms seqnum action devpath subsystem modalias driver origin'));
  t.deepEqual(history.sql('SELECT devpath, module, outcome FROM loads', 10).rows, [[MOUSE, 'usbhid', 'inserted']]);
  t.deepEqual(history.sql("SELECT by, file, line FROM verdicts WHERE verdict = 'deny'", 10).rows, [
    ['rules', '/etc/usherd/rules.d/20-mice.rules', 7n],
  ]);
  t.deepEqual(history.sql('SELECT entry FROM events ORDER BY entry', 3), {
    columns: ['entry'],
    rows: [[2n], [3n], [4n]],
    isCut: true,
  });
});

for (const sql of [
  'DELETE FROM uevent',
  "ATTACH '/etc/passwd' AS other",
  'SELECT',
  'PRAGMA user_version = 7',
  'CREATE TEMP TABLE x (y)',
  'SELECT 1; SELECT 2',
  "SELECT load_extension('x')",
]) {
  test(`the SQL interface refuses: ${sql}`, t => {
    const error = t.throws(() => twoBoots(t).sql(sql, 10), { instanceOf: UsherdError });
    t.is(error.code, 'USAGE');
  });
}

test('what changed since a boot are devices, drivers and the kernel as they were before it, and what was decided since', t => {
  const history = twoBoots(t);
  t.deepEqual(history.changes(MARCH + 9 * DAY, MARCH + 19 * DAY), {
    beforeMs: MARCH + 4 * DAY,
    changes: [
      { kind: 'kernel', before: '6.1.0-18-amd64', now: '6.1.0-19-amd64' },
      { kind: 'came', devpath: MOUSE, modalias: OTHER_MOUSE },
    ],
  });
  t.deepEqual(history.changes(MARCH + DAY - 1, MARCH + 2 * DAY), {
    beforeMs: MARCH + DAY - 2,
    changes: [{ kind: 'driver', devpath: MOUSE, modalias: MOUSE_MODALIAS, before: 'usbhid', now: 'hid-fancy' }],
  });
  t.deepEqual(history.changes(MARCH + 2 * DAY, MARCH + 5 * DAY).changes, [
    { kind: 'went', devpath: MOUSE, modalias: MOUSE_MODALIAS, driver: 'hid-fancy' },
  ]);
  t.deepEqual(history.changes(0, MARCH + 19 * DAY), { changes: [] }, 'nothing is known from before the record began');
});

test('changes of what decides are told with the rest', t => {
  const { ledger, file } = begunLedger(t, { now: () => MARCH + 20 * DAY });
  const edited = { kind: 'policy-edited', file: '/x/decisions.toml', hash: 'aa', changes: ['+forbid dccp'] } as const;
  ledger.incident({ kind: 'shutdown', reason: 'no change' });
  ledger.incident(edited);
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(history.changes(MARCH, MARCH + 21 * DAY).changes, [
    { kind: 'decided', atMs: MARCH + 20 * DAY, incident: edited },
  ]);
  history.close();
});
