import test, { type ExecutionContext } from 'ava';
import Database from 'better-sqlite3';
import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UsherdError } from '../../../core/errors.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { keptFileOf } from '../../../core/pipeline/7-ledger/kept-path.ts';
import { readKeptFile } from '../../../core/pipeline/7-ledger/kept-rows.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { CHECKPOINT_AFTER_QUIET_MS, type LedgerTrouble } from '../../../core/pipeline/7-ledger/write-behind.ts';
import { testUnless } from '../../support/skip-aloud.ts';
import { MOUSE, mouseAdded, mouseDeliberation, RUN, scratchFolder } from './samples.ts';

const mounting = testUnless(
  process.getuid?.() === 0 ? undefined : 'root is needed to mount a file system of a small size',
);

/** A file system with room for a mebibyte, and a file that takes all that is left of it. */
function smallDisk(t: ExecutionContext): {
  readonly file: string;
  readonly fill: () => void;
  readonly empty: () => void;
} {
  const dir = scratchFolder(t);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
  t.is(mounted.status, 0, String(mounted.stderr));
  t.teardown(() => spawnSync('umount', ['-l', dir]));
  const filler = path.join(dir, 'filler');
  return {
    file: path.join(dir, 'state/ledger.db'),
    fill: () => {
      const fd = openSync(filler, 'a');
      try {
        for (;;) writeSync(fd, Buffer.alloc(4096));
      } catch {
        closeSync(fd);
      }
    },
    empty: () => rmSync(filler, { force: true }),
  };
}

mounting(
  'on a disk that is full at the start decisions wait in memory, and all is written in order once there is room',
  async t => {
    const { file, fill, empty } = smallDisk(t);
    const first = Ledger.open(file);
    first.beginRun(RUN);
    const before = first.record(mouseAdded());
    first.close('full from here on');
    fill();
    t.is(t.throws(() => Ledger.open(file), { instanceOf: UsherdError }).code, 'FILE_UNREADABLE');

    const troubles: LedgerTrouble[] = [];
    const ledger = Ledger.open(file, { waitsForDisk: true, onTrouble: trouble => troubles.push(trouble) });
    ledger.beginRun(RUN);
    t.deepEqual([troubles[0]?.kind, ledger.isOpen], ['not-written', false]);
    const entry = ledger.record(mouseAdded());
    ledger.open(entry, mouseDeliberation());
    t.is(await ledger.durable(), 'in-memory');
    ledger.bound(entry, MOUSE, 'usbhid');
    const seen = { devpath: MOUSE };
    const { id: question } = ledger.pend({ entry, subsystem: 'usb', modules: [], reasons: [], seen, expiresAtMs: 1 });
    empty();
    t.is(ledger.flush(), 'on-disk');
    t.is(troubles.at(-1)?.kind, 'written-again');
    // What was begun while nobody knew the file's numbers is ended afterwards.
    ledger.commit(entry, []);
    ledger.endPending(question, 'denied', 0);
    ledger.close('test over');

    const history = History.open(file);
    const found = [...history.query({ order: 'oldest-first' })];
    t.deepEqual(
      found.map(({ id, state, binds }) => [id, state, binds.length]),
      [
        [before, 'recorded', 0],
        [5, 'ended', 1],
      ],
    );
    t.deepEqual(
      Array.from(history.records(1, 99), ({ offset, kind }) => `${offset} ${kind}`),
      [
        '1 run',
        '2 uevent',
        '3 run-end',
        '4 run',
        '5 uevent',
        '6 decision',
        '7 bind',
        '8 pending',
        '9 ending',
        '10 pending-end',
        '11 run-end',
      ],
    );
    t.deepEqual([history.pending(), history.verify().problems], [[], []]);
    history.close();
  },
);

mounting('on a disk that fills up the writer goes on, through its checkpoint and a pruning, too', async t => {
  const { file, fill, empty } = smallDisk(t);
  const troubles: LedgerTrouble[] = [];
  const ledger = Ledger.open(file, { onTrouble: trouble => troubles.push(trouble) });
  ledger.beginRun(RUN);
  for (let n = 0; n < 300; n++) ledger.record(mouseAdded({ synthUuid: `before-${n}` }));
  t.is(ledger.flush(), 'on-disk');
  fill();
  // The quiet after it has the log copied into the file, for which there is no room.
  await pause(CHECKPOINT_AFTER_QUIET_MS + 200);
  t.deepEqual([...ledger.prune({ maxEvents: 10 })], []);
  t.is(troubles.at(-1)?.kind, 'not-written');
  const entry = ledger.record(mouseAdded());
  ledger.open(entry, mouseDeliberation());
  t.is(await ledger.durable(), 'in-memory');
  for (let n = 0; n < 300; n++) ledger.record(mouseAdded({ synthUuid: `meanwhile-${n}` }));
  const history = History.open(file);
  t.is([...history.query()].length, 300, 'what was written stays readable');
  history.close();
  empty();
  t.is(ledger.flush(), 'on-disk');
  ledger.close('test over');
  const after = History.open(file);
  t.is([...after.query()].length, 601);
  t.is(after.entryById(entry)?.state, 'interrupted');
  t.deepEqual(after.verify().problems, []);
  after.close();
});

test('damage that shows while the ledger is written sets the file aside, and the run goes on in a new one', t => {
  const file = path.join(scratchFolder(t), 'ledger.db');
  const first = Ledger.open(file);
  first.beginRun(RUN);
  for (let n = 0; n < 2000; n++) first.record(mouseAdded({ synthUuid: `before-${n}` }));
  first.close('damaged from here on');
  const db = new Database(file, { readonly: true });
  const page = Number(
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_str_1'").pluck().get(),
  );
  db.close();
  const damaged = readFileSync(file);
  damaged.fill(0x5a, (page - 1) * 4096, page * 4096);
  writeFileSync(file, damaged);

  const troubles: LedgerTrouble[] = [];
  const ledger = Ledger.open(file, { onTrouble: trouble => troubles.push(trouble) });
  t.is(ledger.setAside, undefined, 'nothing has looked at that page yet');
  ledger.beginRun(RUN);
  const entry = ledger.record(mouseAdded());
  ledger.open(entry, mouseDeliberation());
  const restsOn = ledger.keep();
  t.is(ledger.flush(), 'on-disk');
  const { movedTo = '', reason = '' } = ledger.setAside ?? {};
  t.true(readKeptFile(keptFileOf(movedTo)).some(({ id }) => id === entry));
  t.is(statSync(keptFileOf(file)).size, 0, 'what was kept beside the damaged file is not beside the new one');
  fdatasyncSync(restsOn.fd ?? -1);
  restsOn.wasPut(0);
  t.throws(() => fdatasyncSync(restsOn.fd ?? -1), { code: 'EBADF' }, 'it was open as long as somebody needed it');
  t.deepEqual(troubles, [{ kind: 'set-aside', setAside: { file, movedTo, reason } }]);
  t.deepEqual(readFileSync(movedTo).subarray(0, damaged.length), damaged);
  ledger.commit(entry, []);
  ledger.close('test over');
  const history = History.open(file);
  t.deepEqual(
    [...history.query()].map(({ id, state }) => [id, state]),
    [[entry, 'ended']],
  );
  t.deepEqual(
    history.incidents().map(({ incident }) => incident),
    [{ kind: 'damaged-ledger', movedTo, reason }],
  );
  t.deepEqual(history.verify().problems, []);
  history.close();
});
