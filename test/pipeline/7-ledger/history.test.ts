import test from 'ava';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../../core/errors.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import type { HistoryFilter } from '../../../core/pipeline/7-ledger/history-filter.ts';
import type { EntryId } from '../../../core/pipeline/7-ledger/ledger.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import type { Seqnum } from '../../../core/vocabulary/seqnum.ts';
import { begunLedger, mouseAdded, mouseDeliberation, MOUSE, MOUSE_MODALIAS, RUN, scratchFolder } from './samples.ts';

const DISK = '/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda' as Devpath;

function at(second: number): { receivedAtMs: number; seqnum: Seqnum } {
  return { receivedAtMs: second * 1000, seqnum: BigInt(100 + second) as Seqnum };
}

/** Six entries a second apart: mouse allowed, disk, mouse denied, disk as udev tells it, mouse gone, mouse left open. */
function sixEntries(t: Parameters<typeof begunLedger>[0]): { history: History; ids: EntryId[] } {
  const { ledger, file } = begunLedger(t);
  const disk = { devpath: DISK, subsystem: 'block' };
  const allowed = ledger.record(mouseAdded(at(1)));
  ledger.open(allowed, mouseDeliberation());
  ledger.commit(allowed, [{ kind: 'inserted', module: moduleName('usbhid'), tookMs: 1 }]);
  const diskAdded = ledger.record(mouseAdded({ ...at(2), ...disk }));
  const denied = ledger.record(mouseAdded(at(3)));
  const { device, candidates } = mouseDeliberation();
  const usbhid = moduleName('usbhid');
  ledger.open(denied, {
    device,
    candidates,
    decisions: [{ module: usbhid, verdict: 'deny', opinions: [] }],
    plans: [],
  });
  ledger.commit(denied, []);
  const fromUdev = ledger.record(
    mouseAdded({ ...at(4), ...disk, action: 'change', origin: { kind: 'udev', pid: 411 } }),
  );
  const gone = ledger.record(mouseAdded({ ...at(5), action: 'remove' }));
  const left = ledger.record(mouseAdded(at(6)));
  ledger.open(left, mouseDeliberation());
  ledger.close('test over');
  const history = History.open(file);
  t.teardown(() => history.close());
  return { history, ids: [allowed, diskAdded, denied, fromUdev, gone, left] };
}

const questions: readonly [string, HistoryFilter, readonly number[]][] = [
  ['everything, newest first', {}, [6, 5, 4, 3, 2, 1]],
  ['everything, oldest first', { order: 'oldest-first' }, [1, 2, 3, 4, 5, 6]],
  ['a window of time, its end outside', { sinceMs: 2000, untilMs: 5000 }, [4, 3, 2]],
  ['a devpath', { device: MOUSE }, [6, 5, 3, 1]],
  ['the last part of a devpath', { device: 'sda' }, [4, 2]],
  ['a glob over last parts', { device: 'sd?' }, [4, 2]],
  ['a glob over whole devpaths', { device: '/devices/*/usb1/*' }, [6, 5, 3, 1]],
  ['a device nobody has seen', { device: '/devices/none' }, []],
  ['a module', { module: moduleName('usbhid') }, [6, 3, 1]],
  ['a module only the plan speaks of', { module: moduleName('hid') }, [6, 1]],
  ['a subsystem', { subsystem: 'block' }, [4, 2]],
  ['an action', { action: 'remove' }, [5]],
  ['a verdict', { verdict: 'deny' }, [3]],
  ['a result', { result: 'loaded' }, [1]],
  ['entries nobody finished', { result: 'interrupted' }, [6]],
  ['entries being worked on, when nobody works', { result: 'open' }, []],
  ['entries without a decision', { result: 'recorded' }, [5, 4, 2]],
  ['an origin', { origin: 'udev' }, [4]],
  ['a boot', { bootId: RUN.bootId, limit: 2 }, [6, 5]],
  ['another boot', { bootId: 'none' }, []],
  ['a range of seqnums', { seqnumFrom: 102n as Seqnum, seqnumTo: 103n as Seqnum }, [3, 2]],
  ['several conditions at once', { device: MOUSE, action: 'add', sinceMs: 2000, order: 'oldest-first' }, [3, 6]],
];
for (const [what, filter, expected] of questions) {
  test(`history answers ${what}`, t => {
    const { history, ids } = sixEntries(t);
    t.deepEqual(
      [...history.query(filter)].map(({ id }) => ids.indexOf(id) + 1),
      expected,
    );
  });
}

test('pages asked for one after the other are the whole, in both orders, also where times are equal', t => {
  const { ledger, file } = begunLedger(t);
  const ids = Array.from({ length: 600 }, (_, n) => ledger.record(mouseAdded({ receivedAtMs: Math.floor(n / 7) })));
  ledger.close('test over');
  const history = History.open(file);
  for (const order of ['newest-first', 'oldest-first'] as const) {
    const seen: EntryId[] = [];
    for (let after: EntryId | undefined; ; after = seen.at(-1)) {
      const page = [...history.query({ order, after, limit: 77 })];
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
    }
    t.deepEqual(seen, order === 'oldest-first' ? ids : ids.toReversed());
    t.deepEqual(
      [...history.query({ order })].map(({ id }) => id),
      seen,
    );
  }
  history.close();
});

test('the last decision is found by device, by module and by modalias', t => {
  const { history, ids } = sixEntries(t);
  const found = [
    history.lastDecisionFor({ devpath: MOUSE }),
    history.lastDecisionFor({ module: moduleName('hid') }),
    history.lastDecisionFor({ modalias: MOUSE_MODALIAS }),
    history.lastDecisionFor({ devpath: DISK }),
    history.lastDecisionFor({ module: moduleName('nouveau') }),
  ];
  const left = ids[5];
  t.deepEqual(
    found.map(entry => entry?.id),
    [left, left, left, undefined, undefined],
  );
});

test('a follower sees each entry when it is recorded and again when it ends, and nothing twice', t => {
  const { ledger, file } = begunLedger(t);
  const first = ledger.record(mouseAdded());
  ledger.flush();
  const history = History.open(file);
  let from = 0;
  const news = (): [EntryId, string][] => {
    ledger.flush();
    const until = history.lastId();
    const entries = [...history.since(from, until)].map(({ id, state }): [EntryId, string] => [id, state]);
    from = until;
    return entries;
  };
  t.deepEqual(news(), [[first, 'recorded']]);
  t.deepEqual(news(), []);
  const second = ledger.record(mouseAdded());
  ledger.open(second, mouseDeliberation());
  t.deepEqual(news(), [[second, 'open']]);
  ledger.commit(second, []);
  t.deepEqual(news(), [[second, 'ended']]);
  ledger.bound(first, MOUSE, 'usbhid');
  t.deepEqual(news(), [[first, 'recorded']]);
  history.close();
  ledger.close('test over');
});

test('incidents are told newest first and by kind', t => {
  let now = 0;
  const { ledger, file } = begunLedger(t, { now: () => ++now });
  ledger.incident({ kind: 'overrun', bufferBytes: 134_217_728 });
  ledger.incident({ kind: 'rejected', reason: 'sent by uid 1000', count: 3, senderPid: 4242, senderUid: 1000 });
  ledger.incident({ kind: 'resync', because: 'overrun', added: 2, removed: 0, changed: 1 });
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(
    history.incidents().map(({ atMs, incident }) => [atMs, incident.kind]),
    [
      [3, 'resync'],
      [2, 'rejected'],
      [1, 'overrun'],
    ],
  );
  t.deepEqual(
    history.incidents({ kind: 'rejected', sinceMs: 1, untilMs: 3, limit: 5 }).map(({ incident }) => incident),
    [{ kind: 'rejected', reason: 'sent by uid 1000', count: 3, senderPid: 4242, senderUid: 1000 }],
  );
  history.close();
});

test('a reader is told that there is no ledger yet', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const error = t.throws(() => History.open(file), { instanceOf: UsherdError });
  t.deepEqual([error.code, error.message], ['FILE_UNREADABLE', `${file}: there is no ledger yet`]);
});

test('a ledger is read where nothing may be written, after its daemon has ended', t => {
  const folder = scratchFolder(t);
  const { ledger, file } = begunLedger(t);
  ledger.record(mouseAdded());
  ledger.close('test over');
  const copy = path.join(folder, 'ledger.db');
  copyFileSync(file, copy);
  chmodSync(copy, 0o444);
  chmodSync(folder, 0o555);
  // Modes do not hold root back, so as root the reader becomes somebody else, once it has what it needs of this checkout.
  const script = `
    import Database from 'better-sqlite3';
    import { History } from '${path.resolve('core/pipeline/7-ledger/history.ts')}';
    new Database(':memory:').close();
    if (process.getuid() === 0) process.setuid(65_534);
    console.log(Array.from(History.open('${copy}').query(), ({ event }) => event.devpath).join());
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  chmodSync(folder, 0o755);
  t.is(stdout.trim(), MOUSE, stderr);
});
