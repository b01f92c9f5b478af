import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as fc from 'fast-check';
import { parseTailState } from '../../core/cli/tail-state.ts';
import { History } from '../../core/pipeline/7-ledger/history.ts';
import { Ledger } from '../../core/pipeline/7-ledger/ledger.ts';
import type { RowRecord } from '../../core/pipeline/7-ledger/row-records.ts';
import { journalMessage } from '../../core/pipeline/8-report/journal-message.ts';
import type { Devpath } from '../../core/vocabulary/devpath.ts';
import { moduleName } from '../../core/vocabulary/module-name.ts';
import { mouseAdded, mouseDeliberation, MOUSE, MOUSE_MODALIAS, RUN } from '../pipeline/7-ledger/samples.ts';
import { receiveDatagrams } from '../support/datagram-receiver.ts';
import { jsonLines, usher } from '../support/usher.ts';

const entry = path.resolve(import.meta.dirname, '../../core/cli/main.ts');
const AT = 1_795_413_700_200;

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'usherd-export-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A refused load for a device whose path tries to forge a line, in `state`. */
function story(state: string): void {
  const ledger = Ledger.open(path.join(state, 'ledger.sqlite'), { now: () => AT });
  ledger.beginRun(RUN);
  const id = ledger.record(mouseAdded({ receivedAtMs: AT, devpath: `${MOUSE}\n=cmd` as Devpath }));
  ledger.open(id, mouseDeliberation());
  ledger.commit(id, [
    { kind: 'refused', module: moduleName('usbhid'), errno: 'EPERM', meaning: 'not signed', tookMs: 1 },
  ]);
  ledger.bound(id, MOUSE, 'usbhid');
  ledger.incident({ kind: 'overrun', dropped: 3 });
  ledger.close('test over');
}

test('every row is exported once, in order, with its facts', async t => {
  const state = folder(t);
  story(state);
  const records = jsonLines<{ offset: number; kind: string; env?: unknown; outcome?: unknown; dropped?: number }>(
    await usher('history', 'export', '--state-dir', state),
  );
  t.deepEqual(
    records.map(({ offset, kind }) => [offset, kind]),
    [
      [1, 'run'],
      [2, 'uevent'],
      [3, 'decision'],
      [4, 'ending'],
      [5, 'bind'],
      [6, 'incident'],
      [7, 'run-end'],
    ],
  );
  t.deepEqual(records[1]?.env, { ...mouseAdded({ devpath: `${MOUSE}\n=cmd` as Devpath }).env });
  t.deepEqual(records[3]?.outcome, [
    { pos: 0, kind: 'refused', module: 'usbhid', errno: 'EPERM', text: 'not signed', took_ms: 1 },
  ]);
  t.is(records[5]?.dropped, 3);
  const some = await usher('history', 'export', '--state-dir', state, '--kind', 'bind', '--kind', 'run', '--from', '1');
  t.deepEqual(
    jsonLines<{ kind: string }>(some).map(({ kind }) => kind),
    ['bind'],
  );
});

test('a record is a CloudEvent, a syslog line and a row of CSV, and a device forges none of them', async t => {
  const state = folder(t);
  story(state);
  const on = ['--state-dir', state, '--kind', 'uevent'];
  const [event] = jsonLines<Record<string, unknown>>(
    await usher('history', 'export', '--format', 'cloudevents', ...on),
  );
  const { data: _, ...envelope } = event ?? {};
  const history = History.open(path.join(state, 'ledger.sqlite'));
  const identity = history.identity();
  history.close();
  t.regex(identity ?? '', /^[0-9a-f]{16}$/);
  t.deepEqual(envelope, {
    specversion: '1.0',
    id: '2',
    source: `/usherd/${os.hostname()}/${identity}`,
    type: 'usherd.uevent',
    time: '2026-11-23T06:01:40.200Z',
    subject: `${MOUSE}\n=cmd`,
    datacontenttype: 'application/json',
  });
  const syslog = (await usher('history', 'export', '--format', 'syslog', ...on)).stdout;
  t.is(
    syslog,
    `<30>1 2026-11-23T06:01:40.200Z ${os.hostname()} usherd - uevent [usherd@32473 offset="2" run="1" seqnum="4711" action="add" ` +
      `devpath="${MOUSE}\\\\u000a=cmd" subsystem="usb" modalias="${MOUSE_MODALIAS}" origin="kernel"] uevent add ${MOUSE}\\u000a=cmd\n`,
  );
  const csv = (await usher('history', 'export', '--format', 'csv', ...on)).stdout;
  t.true(
    csv.startsWith(
      `offset,time,kind,action,devpath,subsystem,modalias,driver,result,incident,facts\n2,2026-11-23T06:01:40.200Z,uevent,add,"${MOUSE}\n=cmd",usb,`,
    ),
  );
  const ending = (await usher('history', 'export', '--format', 'syslog', '--state-dir', state, '--kind', 'ending'))
    .stdout;
  t.true(ending.startsWith('<28>1 '), 'what was refused is a warning');
});

test('the journal gets a datagram a record, with fields of its own names', async t => {
  const state = folder(t);
  story(state);
  const root = folder(t);
  mkdirSync(path.join(root, 'run/systemd/journal'), { recursive: true });
  const receiver = await receiveDatagrams(path.join(root, 'run/systemd/journal/socket'));
  t.teardown(() => receiver.stop());
  const ran = await usher(
    'history',
    'export',
    '--format',
    'journald',
    '--root',
    root,
    '--state-dir',
    state,
    '--kind',
    'uevent',
  );
  t.deepEqual([ran.status, ran.stderr], [0, '']);
  while (receiver.arrived.length === 0) await pause(5);
  const message = Buffer.from(receiver.arrived[0] ?? '');
  t.true(message.includes('MESSAGE=uevent add '));
  t.true(
    message.includes('PRIORITY=6\nSYSLOG_IDENTIFIER=usherd\nSYSLOG_FACILITY=3\nUSHERD_OFFSET=2\nUSHERD_KIND=uevent\n'),
  );
  // A value with a line break is told by its length.
  const devpath = `${MOUSE}\n=cmd`;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(devpath.length));
  t.true(message.includes(Buffer.concat([Buffer.from('USHERD_DEVPATH\n'), length, Buffer.from(`${devpath}\n`)])));
  const gone = await usher('history', 'export', '--format', 'journald', '--root', `${root}/none`, '--state-dir', state);
  t.is(gone.status, 4);
});

test('what was decided, and by which rule, is in the fields of journald and syslog', async t => {
  const state = folder(t);
  story(state);
  const on = ['history', 'export', '--format', 'syslog', '--state-dir', state];
  const decision = (await usher(...on, '--kind', 'decision')).stdout;
  t.regex(
    decision,
    /^<30>1 .* modules="usbhid hid" verdict="allow" by="rules" reason="mice are welcome" rule="\/etc\/usherd\/rules\.d\/10-input\.rules:3"\] decision .*usbhid hid allow mice are welcome\n$/s,
  );
  t.regex((await usher(...on, '--kind', 'ending')).stdout, /result="refused" modules="usbhid" errno="EPERM"\]/);
  const severities = (await usher(...on)).stdout.split('\n').map(line => line.slice(0, 4));
  t.deepEqual(severities, ['<30>', '<30>', '<30>', '<28>', '<30>', '<28>', '<30>', '']);
  const [record] = jsonLines<RowRecord & { place?: unknown }>(
    await usher('history', 'export', '--state-dir', state, '--kind', 'decision'),
  );
  const { offset = 0, kind = '', atMs = 0, ...facts } = record ?? {};
  const message = journalMessage({ offset, kind, atMs, facts }).toString();
  t.true(message.includes('CODE_FILE=/etc/usherd/rules.d/10-input.rules\nCODE_LINE=3\n'));
  t.true(message.includes('USHERD_MODULES=usbhid hid\nUSHERD_VERDICT=allow\n'));
});

test('a tail begins anew with another ledger, and goes on with one that took the place of a damaged one', async t => {
  const state = folder(t);
  const [output, noted] = [path.join(state, 'out.jsonl'), path.join(state, 'tail.json')];
  const words = ['history', 'tail', '--once', '--state-dir', state, '--state', noted, '--output', output];
  story(state);
  t.is((await usher(...words)).stderr, '');
  writeFileSync(path.join(state, 'ledger.sqlite'), 'Dear diary, today a mouse was plugged in.\n'.repeat(200));
  const ledger = Ledger.open(path.join(state, 'ledger.sqlite'), { now: () => AT + 1 });
  ledger.beginRun({ ...RUN, startedAtMs: RUN.startedAtMs + 1 });
  ledger.close('test over');
  t.regex((await usher(...words)).stderr, /is another ledger than that of which 7 records were handed on; it is begun/);
  const kinds = readFileSync(output, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { offset: number; kind: string })
    .map(({ offset, kind }) => `${offset} ${kind}`);
  t.deepEqual(kinds.slice(7), ['1 incident', '2 run', '3 run-end']);
});

test('a tail that is killed at any moment leaves each record in its file exactly once', async t => {
  const state = folder(t);
  const ledger = Ledger.open(path.join(state, 'ledger.sqlite'));
  ledger.beginRun(RUN);
  const [output, noted] = [path.join(state, 'out.jsonl'), path.join(state, 'tail.json')];
  const words = ['history', 'tail', '--state-dir', state, '--state', noted, '--output', output];
  for (let round = 0; round < 12; round++) {
    for (let n = 0; n < 1500; n++) ledger.record(mouseAdded());
    ledger.flush();
    const child = spawn(process.execPath, [entry, ...words], { stdio: 'ignore' });
    // The start takes most of the time; from then on, some moment of the writing.
    while (!existsSync(output) && child.exitCode === null) await pause(2);
    await pause(90 + round * 17);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  ledger.close('test over');
  t.is((await usher(...words, '--once')).status, 0);
  const offsets = readFileSync(output, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { offset: number }).offset);
  t.deepEqual(
    offsets,
    Array.from({ length: 12 * 1500 + 2 }, (_, n) => n + 1),
  );
  t.is(parseTailState(readFileSync(noted, 'utf8'))?.offset, offsets.length);
});

test('a state that is none is refused, whatever it holds', async t => {
  const state = folder(t);
  story(state);
  const noted = path.join(state, 'tail.json');
  writeFileSync(noted, '{"offset":"all"}');
  t.is((await usher('history', 'tail', '--once', '--state-dir', state, '--state', noted)).status, 4);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), text => {
      const parsed = parseTailState(text);
      t.true(parsed === undefined || (Number.isSafeInteger(parsed.offset) && parsed.offset >= 0));
    }),
  );
});
