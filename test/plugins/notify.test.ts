import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { PluginReport } from '../../core/plugin-api/index.ts';
import { startPlugin } from '../../core/plugin-host/try-plugin.ts';
import { findSessions, notifyDesktops } from '../../plugins/notify/desktop.ts';
import { messagesOf, OCCASIONS, type Message, type Occasion } from '../../plugins/notify/message.ts';
import notify from '../../plugins/notify/index.ts';
import { Repeats } from '../../plugins/notify/repeats.ts';
import { WAITING_MAX } from '../../plugins/notify/outbox.ts';
import { isSafeUrl } from '../../plugins/notify/webhook.ts';

const devpath = '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0';
const modalias = 'usb:v0951p1666d0110dc00dsc00dp00ic08isc06ip50in00';
const receivedAtMs = Date.UTC(2026, 10, 23, 9, 33);
const event = { action: 'add', devpath, subsystem: 'usb', env: {}, origin: 'kernel', receivedAtMs } as const;
const device = { devpath, subsystem: 'usb', modalias };
const host = os.hostname();
const basis = { time: '2026-11-23T09:33:00.000Z', host, device };

const held: PluginReport = {
  kind: 'handled',
  event,
  device,
  candidates: ['usb_storage'],
  decisions: [{ module: 'usb_storage', verdict: 'hold', by: 'plugin usb-allowlist', reason: 'nobody knows it' }],
  outcomes: [],
};
const heldMessage: Message = {
  ...basis,
  occasion: 'held',
  title: 'usb_storage waits for you',
  text: `plugin usb-allowlist: nobody knows it. Device ${devpath}; usher approve ${devpath} lets it in.`,
  module: 'usb_storage',
  by: 'plugin usb-allowlist',
  reason: 'nobody knows it',
};

function folder(t: ExecutionContext): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'usherd-notify-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

interface Heard {
  readonly body: unknown;
  readonly headers: http.IncomingHttpHeaders;
}

/** A server on this machine that answers with one status after another, the last one from then on. */
async function listen(
  t: ExecutionContext,
  statuses: readonly number[],
): Promise<{ url: string; heard: Heard[]; until: (count: number) => Promise<void> }> {
  const heard: Heard[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const status = statuses[Math.min(heard.length, statuses.length - 1)] ?? 200;
    heard.push({ body: JSON.parse(Buffer.concat(chunks).toString()), headers: request.headers });
    response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await pause(2);
  };
  return { url: `http://127.0.0.1:${port}/hook`, heard, until };
}

test('a webhook gets a message as JSON, with the token of a file that is read each time', async t => {
  const { url, heard, until } = await listen(t, [200]);
  const token = path.join(folder(t), 'token');
  writeFileSync(token, 'first\n');
  const sink = { kind: 'webhook', url, token_file: token, headers: { 'X-Site': 'attic' } };
  const plugin = await startPlugin(notify, { settings: { repeat_minutes: 0, sinks: [sink] } });
  await plugin.report(held);
  await until(1);
  t.deepEqual(heard[0]?.body, heldMessage);
  const { 'x-site': site, authorization, 'content-type': type } = heard[0]?.headers ?? {};
  t.deepEqual([site, authorization, type], ['attic', 'Bearer first', 'application/json']);
  writeFileSync(token, 'second\n');
  await plugin.report(held);
  await until(2);
  t.is(heard[1]?.headers.authorization, 'Bearer second');
  t.deepEqual(plugin.log, []);
});

test('a server in trouble is tried again with pauses, one that says no is not', async t => {
  const busy = await listen(t, [503, 429, 200]);
  const plugin = await startPlugin(notify, {
    settings: { sinks: [{ kind: 'webhook', url: busy.url, first_pause_seconds: 0.001 }] },
  });
  await plugin.report(held);
  await busy.until(3);
  t.deepEqual(
    busy.heard.map(({ body }) => body),
    [heldMessage, heldMessage, heldMessage],
  );

  const unwilling = await listen(t, [404]);
  const settings = { sinks: [{ kind: 'webhook', url: unwilling.url, first_pause_seconds: 0.001 }] };
  const other = await startPlugin(notify, { settings });
  await other.report(held);
  while (other.log.length === 0) await pause(2);
  t.is(unwilling.heard.length, 1);
  const where = new URL(unwilling.url).host;
  t.deepEqual(other.log, [`warn: webhook: "usb_storage waits for you" was not passed on: ${where} answered 404`]);
});

test('a server that never answers costs its time limit, and each try is counted', async t => {
  const silent = net.createServer(socket => void socket.on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const sink = {
    kind: 'webhook',
    url: `http://127.0.0.1:${port}/`,
    timeout_seconds: 0.02,
    retries: 1,
    first_pause_seconds: 0.001,
  };
  const plugin = await startPlugin(notify, { settings: { sinks: [sink] } });
  await plugin.report(held);
  while (plugin.log.length === 0) await pause(2);
  t.deepEqual(plugin.log, [
    `warn: webhook: "usb_storage waits for you" was not passed on: 127.0.0.1:${port} did not answer within 0.02 s`,
  ]);
});

test('a storm is bounded: what is too much is dropped, counted and said', async t => {
  const { url, heard, until } = await listen(t, [200]);
  const plugin = await startPlugin(notify, {
    settings: { repeat_minutes: 0, sinks: [{ kind: 'webhook', url }] },
  });
  // All in one turn of the loop, so that none can leave meanwhile but the first, which is taken at once.
  await Promise.all(Array.from({ length: WAITING_MAX + 11 }, () => plugin.report(held)));
  while (!plugin.log.some(line => line.endsWith('messages were dropped'))) await pause(2);
  const dropped = WAITING_MAX + 11 - (heard.length - heard.filter(({ body }) => isDropNote(body)).length);
  await until(WAITING_MAX + 11 - dropped + 1);
  const note = heard.at(-1)?.body as Message;
  t.is(note.text, `${dropped} messages came faster than they could be passed on. usher history has all of it.`);
  t.true(dropped > 0 && dropped <= 11);
  t.deepEqual(plugin.log, [
    `warn: webhook: ${WAITING_MAX} messages wait, more are dropped`,
    `warn: webhook: ${dropped} messages were dropped`,
  ]);
});

function isDropNote(body: unknown): boolean {
  return (body as Message).title === 'usherd: messages were dropped';
}

test('a command gets the message on its standard input, its words as they are, and no shell', async t => {
  const dir = folder(t);
  const file = path.join(dir, 'out; touch $HOME');
  const run = ['/usr/bin/tee', file];
  const plugin = await startPlugin(notify, { settings: { sinks: [{ kind: 'command', run }] } });
  await plugin.report(held);
  for (;;) {
    const text = readOr(file, '');
    if (text.endsWith('\n')) {
      t.deepEqual(JSON.parse(text), heldMessage);
      return;
    }
    await pause(2);
  }
});

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

test('a command that fails, hangs or is not there is told of with what it said', async t => {
  const script = path.join(folder(t), 'fail');
  writeFileSync(script, '#!/bin/sh\necho "no such pager" >&2\nexit 3\n', { mode: 0o755 });
  const sinks = [
    { kind: 'command', run: [script] },
    { kind: 'command', run: ['/bin/sleep', '1000'], timeout_seconds: 0.05 },
    { kind: 'command', run: ['/nowhere/pager'] },
  ];
  const plugin = await startPlugin(notify, { settings: { sinks } });
  await plugin.report(held);
  while (plugin.log.length < 3) await pause(2);
  const lost = '"usb_storage waits for you" was not passed on:';
  t.deepEqual(
    plugin.log.toSorted(),
    [
      `warn: ${script}: ${lost} ${script} ended with status 3: no such pager`,
      `warn: /bin/sleep: ${lost} /bin/sleep did not end within 0.05 s`,
      `warn: /nowhere/pager: ${lost} /nowhere/pager is not there`,
    ].toSorted(),
  );
});

test('a desktop is told by its own bus, without markup; where there is none that is said', async t => {
  const dir = folder(t);
  const uid = process.getuid?.() ?? 0;
  mkdirSync(path.join(dir, String(uid)));
  mkdirSync(path.join(dir, '4294967'));
  t.deepEqual(findSessions(dir, undefined), []);
  const bus = net.createServer().listen(path.join(dir, String(uid), 'bus'));
  await once(bus, 'listening');
  t.teardown(() => bus.close());
  const sessions = findSessions(dir, undefined);
  t.deepEqual(
    sessions.map(session => [session.uid, session.bus]),
    [[uid, path.join(dir, String(uid), 'bus')]],
  );
  t.deepEqual(findSessions(dir, [uid + 1]), []);
  t.deepEqual(findSessions(path.join(dir, 'none'), undefined), []);

  const program = path.join(dir, 'notify-send');
  const out = path.join(dir, 'out');
  writeFileSync(
    program,
    `#!/bin/sh\nfor word; do echo "$word"; done > ${out}\necho "$DBUS_SESSION_BUS_ADDRESS" >> ${out}\n`,
    { mode: 0o755 },
  );
  const { signal } = new AbortController();
  const message = { ...heldMessage, title: '--help', text: 'a <b>stick</b> & more' };
  await notifyDesktops(sessions, message, { timeoutMs: 10_000, signal, program });
  t.deepEqual(readFileSync(out, 'utf8').trimEnd().split('\n'), [
    '--app-name=usherd',
    '--urgency=critical',
    '--icon=drive-removable-media',
    '--',
    '--help',
    'a &lt;b&gt;stick&lt;/b&gt; &amp; more',
    `unix:path=${sessions[0]?.bus}`,
  ]);
  await t.throwsAsync(notifyDesktops([], message, { timeoutMs: 10_000, signal }), {
    message: 'nobody is logged in with a desktop',
  });
});

test('each occasion has its message, and only those that are wanted are told', t => {
  const all = new Set(OCCASIONS);
  const report: PluginReport = {
    ...held,
    decisions: [
      { module: 'nvidia', verdict: 'deny', by: 'plugin taint-guard', reason: 'it would taint\u001b[2J' },
      { module: 'ok', verdict: 'allow' },
    ],
    outcomes: [
      { module: 'old', kind: 'refused', why: 'ENOEXEC: built for another kernel' },
      { module: 'odd', kind: 'failed', why: 'the install command ended with 1' },
      { module: 'fine', kind: 'inserted' },
    ],
  };
  const told = (which: ReadonlySet<Occasion>): readonly unknown[] =>
    messagesOf(report, which, host).map(({ occasion, title, text }) => [occasion, title, text]);
  const lines = [
    ['denied', 'nvidia was denied', `plugin taint-guard: it would taint [2J. Device ${devpath}.`],
    ['refused', 'the kernel refused old', `ENOEXEC: built for another kernel. Device ${devpath}.`],
    ['failed', 'odd could not be loaded', `the install command ended with 1. Device ${devpath}.`],
  ];
  t.deepEqual(told(all), lines);
  t.deepEqual(told(new Set(['refused'])), [lines[1]]);
  const unmatched: PluginReport = { ...held, candidates: [], decisions: [] };
  t.deepEqual(messagesOf(unmatched, all, host), [
    {
      ...basis,
      occasion: 'unmatched',
      title: 'a device has no driver',
      text: `No module here claims ${modalias}. Device ${devpath}.`,
    },
  ]);
  const driven = { ...unmatched, device: { ...device, driver: 'usbhid' } };
  t.deepEqual(messagesOf(driven, all, host), []);
  const notice: PluginReport = { kind: 'notice', level: 'error', message: 'the ledger cannot be written' };
  const [told1] = messagesOf(notice, all, host);
  t.deepEqual([told1?.occasion, told1?.title, told1?.text], ['error', 'usherd: error', 'the ledger cannot be written']);
  t.deepEqual(messagesOf(notice, new Set(['warning']), host), []);
});

test('the same message is told once in a while, and then how often it was', t => {
  const repeats = new Repeats(1000);
  const atMs = Date.UTC(2026, 10, 23);
  t.is(repeats.pass(heldMessage, atMs), heldMessage);
  t.is(repeats.pass(heldMessage, atMs + 1), undefined);
  t.is(repeats.pass(heldMessage, atMs + 999), undefined);
  const other = { ...heldMessage, module: 'uas' };
  t.is(repeats.pass(other, atMs + 999), other);
  const text = `${heldMessage.text} (2 more times since 2026-11-23T00:00:00.000Z)`;
  t.deepEqual(repeats.pass(heldMessage, atMs + 1000), { ...heldMessage, text });
  t.is(repeats.pass(heldMessage, atMs + 2000), heldMessage);
  t.is(repeats.pass(heldMessage, atMs - 5000), heldMessage);
  const each = new Repeats(0);
  t.deepEqual([each.pass(other, 1), each.pass(other, 1)], [other, other]);
});

test('messages leave by HTTPS, or stay on this machine', t => {
  const safe = ['https://example.org/x', 'http://127.0.0.1:8080/', 'http://localhost/', 'http://[::1]/'];
  const unsafe = ['http://example.org/', 'http://127.example.org/', 'ftp://localhost/', 'file:///etc/passwd', 'x'];
  t.deepEqual(
    safe.filter(url => !isSafeUrl(url, false)),
    [],
  );
  t.deepEqual(
    unsafe.filter(url => isSafeUrl(url, false)),
    [],
  );
  t.true(isSafeUrl('http://example.org/', true));
});

test('settings that cannot work are refused with the reason, and without sinks nobody is called', async t => {
  const refusals: readonly (readonly [sink: object, why: RegExp])[] = [
    [
      { kind: 'webhook', url: 'http://example.org/' },
      /wanted a URL with https:\/\/, one of this machine, or allow_plain_http = true/,
    ],
    [{ kind: 'webhook' }, /wanted either url or url_file/],
    [{ kind: 'command', run: ['pager'] }, /sinks\.0\.run: the first word must be the absolute path/],
    [{ kind: 'pigeon' }, /sinks\.0\.kind/],
    [{ kind: 'desktop', on: [] }, /nothing would be told/],
    [{ kind: 'desktop', timeout_seconds: 61 }, /wanted at most 60/],
  ];
  for (const [sink, why] of refusals)
    await t.throwsAsync(startPlugin(notify, { settings: { sinks: [sink] } }), { message: why });
  t.deepEqual((await startPlugin(notify)).hooks, []);
});

test('what waits when the plugin is stopped is not sent any more', async t => {
  const { url, heard } = await listen(t, [200]);
  const plugin = await startPlugin(notify, { settings: { sinks: [{ kind: 'webhook', url }] } });
  await plugin.stop();
  await plugin.report(held);
  await pause(20);
  t.deepEqual(heard, []);
});
