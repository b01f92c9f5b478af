import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Action } from '../../core/pipeline/1-intake/uevent.ts';
import { Ledger } from '../../core/pipeline/7-ledger/ledger.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { mouseAdded, mouseDeliberation, RUN } from '../pipeline/7-ledger/samples.ts';
import { jsonLines, usher } from '../support/usher.ts';

const MAIN = path.resolve(import.meta.dirname, '../../core/cli/main.ts');
const START = Date.UTC(2026, 2, 1);

/** A state folder with a day of events: a port where something is plugged in and out, and one decision. */
function stateDir(t: ExecutionContext): { readonly at: readonly string[]; readonly file: string } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-history-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'ledger.sqlite');
  const ledger = Ledger.open(file, { now: () => START + 86_400_000 });
  ledger.beginRun({ ...RUN, startedAtMs: START });
  const events: readonly [Action, number][] = [
    ['add', 1],
    ['bind', 2],
    ['change', 3],
    ['remove', 4],
    ['add', 9],
  ];
  for (const [action, hour] of events) {
    const port = `/devices/usb1/1-${hour > 5 ? 2 : 1}` as Devpath;
    const event = mouseAdded({ action, devpath: port, receivedAtMs: START + hour * 3_600_000 });
    const env = { ...event.env, ...(action === 'bind' && { DRIVER: 'usbhid' }) };
    const id = ledger.record({ ...event, env });
    if (hour !== 9) continue;
    ledger.open(id, mouseDeliberation());
    ledger.commit(id, []);
  }
  ledger.close('test over');
  return { at: ['--state-dir', folder], file };
}

test('the words after history choose the question, and its options are its own', async t => {
  const { at } = stateDir(t);
  t.is(
    (await usher('history', 'devices', '-n', '1', ...at)).stdout,
    `FIRST SEEN               LAST SEEN                ADDED  EVENTS  SUBSYSTEM  DEVICE             MODALIAS
2026-03-01 09:00:00.000  2026-03-01 09:00:00.000      1       1  usb        /devices/usb1/1-2  usb:v046DpC077d7200dc00dsc00dp00ic03isc01ip02in00
`,
  );
  t.is(
    (await usher('history', 'drivers', '--csv', ...at)).stdout,
    `from,to,ended,driver,devpath,entry
2026-03-01T02:00:00.000Z,2026-03-01T04:00:00.000Z,remove,usbhid,/devices/usb1/1-1,3
`,
  );
  t.is(
    (await usher('history', '--at', '2026-03-01 03:30', '--csv', ...at)).stdout,
    `devpath,subsystem,driver,modalias,entry
/devices/usb1/1-1,usb,usbhid,usb:v046DpC077d7200dc00dsc00dp00ic03isc01ip02in00,4
`,
  );
  t.is((await usher('history', 'no-such-question', ...at)).status, 2);
});

test('history is counted, paged, and printed as CSV', async t => {
  const { at } = stateDir(t);
  t.is(
    (await usher('history', '--group-by', 'action', '--csv', ...at)).stdout,
    'count,key\n2,add\n1,bind\n1,change\n1,remove\n',
  );
  const entries = jsonLines<{ id: number }>(await usher('history', '-n', '2', '--after', '5', '--json', ...at));
  t.deepEqual(
    entries.map(({ id }) => id),
    [3, 4],
  );
  const { stdout } = await usher('history', '-a', 'remove', '--boot', '0', '--csv', ...at);
  t.is(
    stdout.split('\n')[1],
    '5,2026-03-01T04:00:00.000Z,remove,/devices/usb1/1-1,usb,usb:v046DpC077d7200dc00dsc00dp00ic03isc01ip02in00,,recorded,,',
  );
  t.is((await usher('history', '--boot', '3', ...at)).status, 1);
  t.is((await usher('history', '--group-by', 'module', '-d', 'x', ...at)).status, 2);
});

test('incidents and requests take boots, pages, kinds and forms, and an option without a meaning is refused', async t => {
  const { at, file } = stateDir(t);
  const ledger = Ledger.open(file, { now: () => START + 2 * 86_400_000 });
  ledger.beginRun({ ...RUN, bootId: 'another-boot', startedAtMs: START + 86_400_000 });
  for (const reason of ['first', 'second', 'third']) ledger.incident({ kind: 'shutdown', reason });
  ledger.incident({ kind: 'overrun', dropped: 3 });
  ledger.close('test over');
  const ask = async (...words: string[]): Promise<string> =>
    (await usher('history', '--incidents', ...words, ...at, '--csv')).stdout;
  const line = (id: number, facts: string, kind = 'shutdown'): string =>
    `${id},2026-03-03T00:00:00.000Z,10,${kind},"${facts.replaceAll('"', '""')}"\n`;
  const [first, second, third] = ['first', 'second', 'third'].map((reason, n) =>
    line(11 + n, `{"reason":"${reason}"}`),
  );
  const titles = 'id,time,run,kind,facts\n';
  const overrun = line(14, '{"dropped":3}', 'overrun');
  t.is(await ask(), `${titles}${first}${second}${third}${overrun}`);
  t.is(await ask('--kind', 'overrun', '--kind', 'resync'), titles + overrun);
  t.is(await ask('--boot', 'another'), `${titles}${first}${second}${third}${overrun}`);
  t.is(await ask('--boot', '-1'), titles);
  t.is(await ask('--after', '13', '-n', '1'), `${titles}${second}`);
  t.is(await ask('--until', '2026-03-02'), titles);
  t.is((await usher('history', '--requests', '--csv', ...at)).stdout, 'id,time,asker,asked,uid,devpath,state,result\n');
  const connected = ['history', '--at', '2026-03-01 10:00', '--csv', ...at];
  t.is((await usher(...connected, '-d', '1-1')).stdout, 'devpath,subsystem,driver,modalias,entry\n');
  t.regex((await usher(...connected, '-d', '1-2', '-s', 'usb')).stdout, /\n\/devices\/usb1\/1-2,usb,/);
  for (const words of [
    ['--incidents', '-d', 'x'],
    ['--kind', 'overrun'],
    ['--at', 'now', '-f'],
    ['--requests', '--at', 'now'],
  ])
    t.is((await usher('history', ...words, ...at)).status, 2, words.join(' '));
});

test('following tells only of what was asked for', async t => {
  const { at, file } = stateDir(t);
  const ledger = Ledger.open(file);
  ledger.beginRun(RUN);
  const child = spawn(process.execPath, [MAIN, 'history', '-f', '-d', '1-7', '--csv', ...at]);
  let printed = '';
  child.stdout.on('data', bytes => {
    printed += String(bytes);
  });
  while (!printed.includes('entry,')) await pause(5);
  for (const port of ['1-6', '1-7']) ledger.record(mouseAdded({ devpath: `/devices/usb1/${port}` as Devpath }));
  ledger.flush();
  while (!printed.includes('/devices/usb1/1-7')) await pause(5);
  child.kill();
  await once(child, 'exit');
  t.false(printed.includes('1-6'));
  t.regex(printed, /\n12,2026-11-23T06:01:40\.123Z,add,\/devices\/usb1\/1-7,usb,[^\n]*\n$/);
  ledger.close('test over');
});

test('stats draw what the counts say', async t => {
  const { at } = stateDir(t);
  const { stdout } = await usher('history', 'stats', '--since', '2026-03-01', '--until', '2026-03-03', ...at);
  t.regex(stdout, /^events  5 from/);
  t.regex(stdout, /^add     2  █{40}\nbind    1  █{20}\n/m);
  const [told] = jsonLines<{ day: unknown; outcome: unknown }>(
    await usher('history', 'stats', '--since', '2026-03-01', '--json', ...at),
  );
  t.deepEqual(told?.day, [{ key: '2026-03-01', count: 5 }]);
  t.deepEqual(told?.outcome, [{ key: 'skipped', count: 1 }]);
});

test('SQL is answered over the views, up to a number of rows, and stopped when it takes too long', async t => {
  const { at } = stateDir(t);
  const select = 'SELECT action, count(*) AS n FROM events GROUP BY action ORDER BY action';
  t.is((await usher('history', 'sql', select, '--csv', ...at)).stdout, 'action,n\nadd,2\nbind,1\nchange,1\nremove,1\n');
  const cut = await usher('history', 'sql', select, '--csv', '--limit', '1', ...at);
  t.deepEqual(
    [cut.stdout, cut.stderr],
    ['action,n\nadd,2\n', 'usher: there is more; --limit has it stop after 1 row\n'],
  );
  const endless = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n';
  const late = await usher('history', 'sql', endless, '--time-limit', '1', ...at);
  t.deepEqual(
    [late.status, late.stderr.split('\n')[0]],
    [11, 'usher: the question was not answered after 1 s (--time-limit)'],
  );
  t.is((await usher('history', 'sql', 'DROP TABLE uevent', ...at)).status, 2);
});

test('verify ends with 1 and names the row when one was changed; an anchor is agreed with', async t => {
  const { at, file } = stateDir(t);
  const anchor = `${file}.anchor`;
  writeFileSync(anchor, (await usher('history', 'anchor', ...at)).stdout);
  const sound = await usher('history', 'verify', '--anchor', anchor, ...at);
  t.is(sound.stdout, 'every one of 9 rows is as it was written (1 seal)\nthe record agrees with the anchor\n');
  t.is(sound.status, 0);
  const db = new Database(file);
  db.exec("UPDATE uevent SET action = (SELECT id FROM str WHERE text = 'add') WHERE id = 5");
  db.close();
  const changed = await usher('history', 'verify', ...at);
  t.deepEqual(
    [changed.status, changed.stdout],
    [1, 'row 5 (uevent) was altered\n1 problem in 9 rows: the record is not as it was written\n'],
  );
});

test('prune takes what the settings do not keep, and says beforehand what that is', async t => {
  const { at, file } = stateDir(t);
  const config = path.join(path.dirname(file), 'etc');
  mkdirSync(path.join(config, 'usherd'), { recursive: true });
  const on = [...at, '--config-root', config];
  t.is((await usher('history', 'prune', '--dry-run', ...on)).stdout, 'the settings keep everything\n');
  writeFileSync(path.join(config, 'usherd/usherd.toml'), '[ledger]\nkeep_days = 3\n');
  t.is(
    (await usher('history', 'prune', '--dry-run', ...on)).stdout,
    'would go: 4 rows of events, 0 rows of decisions, 0 rows of incidents\n',
  );
  t.is((await usher('history', 'prune', ...on)).stdout, '4 rows pruned\n');
  t.is((await usher('history', 'verify', ...on)).status, 0);
  t.is((await usher('history', '--csv', ...on)).stdout.split('\n').length, 3);
});
