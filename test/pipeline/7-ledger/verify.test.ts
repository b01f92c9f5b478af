import test, { type ExecutionContext } from 'ava';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { parseAnchor } from '../../../core/pipeline/7-ledger/anchor.ts';
import { History } from '../../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../../core/pipeline/7-ledger/ledger.ts';
import { MIGRATIONS } from '../../../core/pipeline/7-ledger/migrations.ts';
import type { ChainProblem, Verification } from '../../../core/pipeline/7-ledger/verify.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import type { Seqnum } from '../../../core/vocabulary/seqnum.ts';
import { deliberations, outcomes, uevents } from './arbitraries.ts';
import { begunLedger, mouseAdded, mouseDeliberation, MOUSE, RUN, scratchFolder } from './samples.ts';

/** One run: 20 events in seals of ten, the last of them with a decision and its ending, and a bind. */
function story(t: ExecutionContext): string {
  const { ledger, file } = begunLedger(t, { now: () => 1_795_413_700_200 });
  for (let n = 0; n < 20; n++) {
    const id = ledger.record(mouseAdded({ seqnum: BigInt(5000 + n) as Seqnum }));
    if (n === 19) {
      ledger.open(id, mouseDeliberation());
      ledger.commit(id, [{ kind: 'inserted', module: moduleName('usbhid'), tookMs: 1.5 }]);
      ledger.bound(id, MOUSE, 'usbhid');
    }
    if (n % 10 === 9) ledger.flush();
  }
  ledger.close('test over');
  return file;
}

function verified(file: string): Verification {
  const history = History.open(file);
  try {
    return history.verify();
  } finally {
    history.close();
  }
}

test('a ledger nobody touched agrees with its seals', t => {
  const { head, ...rest } = verified(story(t));
  t.deepEqual(rest, { seals: 3, rows: 25, prunedRows: 0, problems: [], problemCount: 0 });
  t.is(head?.lastId, 25);
});

test('whatever is written, its seals agree with what is read back', t => {
  const cases = fc.array(fc.tuple(uevents, fc.option(fc.tuple(deliberations, fc.array(outcomes, { maxLength: 4 })))), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(cases, entries => {
      const { ledger, file } = begunLedger(t);
      for (const [event, acted] of entries) {
        const id = ledger.record(event);
        if (acted) ledger.open(id, acted[0]);
        if (acted) ledger.commit(id, acted[1]);
      }
      ledger.close('test over');
      t.deepEqual(verified(file).problems, []);
    }),
    { numRuns: 40 },
  );
});

type Tampering = [what: string, sql: string, expected: readonly ChainProblem[]];
const tamperings: readonly Tampering[] = [
  ['a time', 'UPDATE uevent SET at_ms = at_ms + 1 WHERE id = 7', [{ kind: 'altered', id: 7, table: 'uevent' }]],
  ['a number', 'UPDATE uevent SET seqnum = 1 WHERE id = 7', [{ kind: 'altered', id: 7, table: 'uevent' }]],
  [
    'who drove a device',
    "INSERT INTO str (text) VALUES ('evil'); UPDATE bind SET driver = last_insert_rowid()",
    [{ kind: 'altered', id: 24, table: 'bind' }],
  ],
  [
    'a verdict',
    "UPDATE judgement SET verdict = 'deny' WHERE pos = 0",
    [{ kind: 'altered', id: 22, table: 'decision' }],
  ],
  ['who gave an opinion', 'DELETE FROM opinion', [{ kind: 'altered', id: 22, table: 'decision' }]],
  ['a step of a plan', 'UPDATE plan_step SET pos = pos + 2', [{ kind: 'altered', id: 22, table: 'decision' }]],
  ['an outcome', "UPDATE outcome SET kind = 'observed'", [{ kind: 'altered', id: 23, table: 'ending' }]],
  [
    'a place many rows refer to',
    'UPDATE place SET line = 99 WHERE line = 812',
    [{ kind: 'altered', id: 22, table: 'decision' }],
  ],
  ['how a run ended', "UPDATE run_end SET reason = 'power cut'", [{ kind: 'altered', id: 25, table: 'run_end' }]],
  ['the kernel a run had', "UPDATE run SET kernel = '7'", [{ kind: 'altered', id: 1, table: 'run' }]],
  ['a row taken out', 'DELETE FROM uevent WHERE id = 9', [{ kind: 'removed', id: 9 }]],
  [
    'two rows that changed places',
    'UPDATE uevent SET id = -1 WHERE id = 4; UPDATE uevent SET id = 4 WHERE id = 6; UPDATE uevent SET id = 6 WHERE id = -1',
    [
      { kind: 'reordered', id: 4, table: 'uevent', sealedAs: 6 },
      { kind: 'reordered', id: 6, table: 'uevent', sealedAs: 4 },
    ],
  ],
  [
    'a row put in at the end',
    "INSERT INTO incident VALUES (26, 1, 0, 'shutdown', '{}')",
    [{ kind: 'added', id: 26, table: 'incident' }],
  ],
  [
    'a row put in beside another',
    "INSERT INTO incident VALUES (3, 1, 0, 'shutdown', '{}')",
    [{ kind: 'added', id: 3, table: 'incident' }],
  ],
  [
    'a seal rewritten with its row',
    'UPDATE seal SET digests = zeroblob(length(digests)) WHERE first = 12',
    [
      { kind: 'broken-chain', first: 12, last: 24 },
      ...Array.from({ length: 13 }, (_, n): ChainProblem => {
        const id = 12 + n;
        return {
          kind: 'altered',
          id,
          table: id === 24 ? 'bind' : id === 23 ? 'ending' : id === 22 ? 'decision' : 'uevent',
        };
      }),
    ],
  ],
  [
    'a seal taken out with all its rows',
    'DELETE FROM seal WHERE first = 1; DELETE FROM uevent WHERE id <= 11; DELETE FROM run WHERE id <= 11',
    [{ kind: 'broken-chain', first: 12, last: 24 }],
  ],
  ...[
    "what = (SELECT id FROM str WHERE text = 'usbhid')",
    "what = (SELECT id FROM str WHERE text = 'verdict=allow')",
    "what = (SELECT id FROM str WHERE text = 'result=loaded')",
    "what = (SELECT id FROM str WHERE text LIKE 'rule=allow %.rules:3')",
  ].map((where): Tampering => [
    `an entry hidden from whoever asks for ${where.slice(where.indexOf("'"))}`,
    `DELETE FROM tag WHERE ${where}`,
    [{ kind: 'unlisted', id: 21, table: 'tag' }],
  ]),
  ['a device hidden', 'DELETE FROM device', [{ kind: 'unlisted', id: 2, table: 'device' }]],
  ['events not counted', 'UPDATE activity SET n = n - 1', [{ kind: 'unlisted', id: 2, table: 'activity' }]],
];
for (const [what, sql, expected] of tamperings) {
  test(`a change is found and its row is named: ${what}`, t => {
    const file = story(t);
    const db = new Database(file);
    db.exec(sql);
    db.close();
    const { problems, problemCount } = verified(file);
    t.deepEqual(problems, expected);
    t.is(problemCount, expected.length);
  });
}

test('any one byte of the rows that is changed is found', t => {
  const file = story(t);
  const columns = [
    'run',
    'at_ms',
    'seqnum',
    'action',
    'devpath',
    'subsystem',
    'modalias',
    'origin',
    'env_keys',
    'env_values',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...columns), fc.integer({ min: 2, max: 20 }), (column, id) => {
      const copy = `${file}-copy`;
      copyFileSync(file, copy);
      const db = new Database(copy);
      const before = db.prepare(`SELECT ${column} FROM uevent WHERE id = ?`).pluck().get(id);
      db.prepare(`UPDATE uevent SET ${column} = ? WHERE id = ?`).run(Number(before) === 3 ? 4 : 3, id);
      db.close();
      t.deepEqual(verified(copy).problems, [{ kind: 'altered', id, table: 'uevent' }]);
    }),
    { numRuns: 40 },
  );
});

test('an anchor shows what the file alone cannot: an end that was cut off, and a history written anew', t => {
  const file = story(t);
  const key = keys(t);
  const history = History.open(file);
  const anchor = history.anchor(key.privateFile);
  t.truthy(anchor);
  if (anchor === undefined) return;
  t.is(history.checkAnchor(anchor), 'agrees');
  t.is(history.checkAnchor(anchor, key.publicFile), 'agrees');
  t.is(history.checkAnchor(anchor, keys(t).publicFile), 'bad-signature');
  t.is(history.checkAnchor({ ...anchor, lastId: 24 }, key.publicFile), 'bad-signature');
  const { signature: _, ...unsigned } = anchor;
  t.is(history.checkAnchor(unsigned, key.publicFile), 'not-signed');
  t.deepEqual(parseAnchor(JSON.stringify(anchor)), anchor);
  t.is(parseAnchor('{"usherdAnchor":1}'), undefined);
  t.is(parseAnchor('no JSON'), undefined);
  history.close();

  const db = new Database(file);
  db.exec('DELETE FROM run_end; DELETE FROM seal WHERE last = 25');
  db.close();
  t.deepEqual(verified(file).problems, []);
  const shorter = History.open(file);
  t.is(shorter.checkAnchor(anchor), 'cut-off');
  shorter.close();

  const other = History.open(story(t));
  const later = other.anchor();
  t.is(
    other.checkAnchor({ ...anchor, hash: anchor.hash.replace(/^./, digit => (digit === '0' ? '1' : '0')) }),
    'differs',
  );
  t.is(later?.lastId, anchor.lastId);
  other.close();
});

test('a ledger of schema 1 is brought up to date: its rows are sealed and found by module, verdict and result', t => {
  const file = story(t);
  const old = path.join(scratchFolder(t), 'old.db');
  const db = new Database(file);
  db.exec(`VACUUM INTO '${old}'`);
  db.close();
  const back = new Database(old);
  for (const table of [
    'seal',
    'activity',
    'device',
    'gone',
    'driver_span',
    'tag',
    'tally',
    'identity',
    'request',
    'pending',
    'pending_end',
    'kept',
  ])
    back.exec(`DROP TABLE ${table}`);
  back.exec(
    'CREATE TABLE mention (module INTEGER NOT NULL, decision INTEGER NOT NULL, PRIMARY KEY (module, decision)) STRICT, WITHOUT ROWID',
  );
  back.exec(
    'CREATE INDEX judgement_by_verdict ON judgement (verdict); CREATE INDEX ending_by_result ON ending (result)',
  );
  back.pragma('user_version = 1');
  back.close();
  Ledger.open(old, { now: () => 0 }).close('migrated');
  const read = new Database(old, { readonly: true });
  t.is(read.pragma('user_version', { simple: true }), MIGRATIONS.length);
  const counts = (table: string): unknown => read.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  t.deepEqual(['device', 'activity', 'driver_span'].map(counts), [1, 1, 0]);
  read.close();
  const history = History.open(old);
  t.deepEqual(history.verify().problems, []);
  t.is(history.verify().rows, 25);
  for (const filter of [{ module: moduleName('hid') }, { verdict: 'allow' }, { result: 'loaded' }] as const)
    t.deepEqual(
      [...history.query(filter)].map(({ id }) => id),
      [21],
    );
  t.is(history.runs()[0]?.bootId, RUN.bootId);
  history.close();
});

function keys(t: ExecutionContext): { readonly privateFile: string; readonly publicFile: string } {
  const folder = scratchFolder(t);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const [privateFile, publicFile] = [path.join(folder, 'key.pem'), path.join(folder, 'key.pub')];
  writeFileSync(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }));
  return { privateFile, publicFile };
}
