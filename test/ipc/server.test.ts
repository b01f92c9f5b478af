import test, { type ExecutionContext } from 'ava';
import { once } from 'node:events';
import { chmodSync, existsSync, fstatSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { UsherdError } from '../../core/errors.ts';
import { callDaemon } from '../../core/ipc/client.ts';
import { MESSAGE_MAX_BYTES, parseReply, parseRequest } from '../../core/ipc/protocol.ts';
import { mayUse, roleOf } from '../../core/ipc/role.ts';
import {
  CLIENTS_PER_USER_MAX,
  IpcServer,
  type Handler,
  type Refusal,
  type ServerOptions,
} from '../../core/ipc/server.ts';
import type { Json } from '../../core/pipeline/8-report/json.ts';

const OWN_UID = process.getuid?.() ?? 0;
const ROOT = { pid: 10, uid: 0, gid: 0 };
const SOMEBODY = { pid: 11, uid: 54_321, gid: 54_321 };

const handlers: Readonly<Record<string, Handler>> = {
  count: {
    role: 'read',
    async handle({ to }, { respond }) {
      for (let n = 1; n <= Number(to); n++) await respond({ n, asBig: BigInt(n) });
    },
  },
  whoami: { role: 'read', handle: (_, { peer, role, respond }) => respond({ peer, role }) },
  stop: { role: 'admin', handle: (_, { respond }) => respond('stopping') },
  missing: {
    role: 'read',
    handle: () => Promise.reject(new UsherdError('NOT_FOUND', 'no device sdq', { device: 'sdq', seqnum: 7n })),
  },
  broken: { role: 'read', handle: () => Promise.reject(new Error('the secret is 42')) },
  huge: { role: 'read', handle: (_, { respond }) => respond('x'.repeat(MESSAGE_MAX_BYTES)) },
  flood: {
    role: 'read',
    async handle(_, { respond, signal }) {
      while (!signal.aborted) await respond('x'.repeat(100_000));
    },
  },
  gush: {
    role: 'read',
    async handle(_, { respond, signal }) {
      const sent: Promise<void>[] = [];
      // A handler that does not wait is a bug, and must not cost the daemon its memory.
      for (let n = 0; n < 500 && !signal.aborted; n++) sent.push(respond('x'.repeat(100_000)));
      await Promise.all(sent);
    },
  },
  follow: {
    role: 'read',
    async handle(_, { respond, signal }) {
      await respond('first');
      if (!signal.aborted) await once(signal, 'abort');
    },
  },
};

interface World {
  readonly server: IpcServer;
  readonly socketPath: string;
  readonly refusals: Refusal[];
  readonly bugs: unknown[];
}

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'usherd-ipc-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function listening(t: ExecutionContext, options: Partial<ServerOptions> = {}): Promise<World> {
  const socketPath = path.join(scratch(t), 'run', 'usherd.sock');
  const refusals: Refusal[] = [];
  const bugs: unknown[] = [];
  const server = await IpcServer.listen({
    socketPath,
    version: '0.1.0',
    handlers,
    peerCredentials: () => ROOT,
    daemonUid: OWN_UID,
    onRefusal: refusal => refusals.push(refusal),
    onBug: error => bugs.push(error),
    ...options,
  });
  t.teardown(() => server.close());
  return { server, socketPath, refusals, bugs };
}

async function ask(socketPath: string, verb: string, params = {}): Promise<Json[]> {
  const items: Json[] = [];
  for await (const item of callDaemon({ socketPath, verb, params })) items.push(item);
  return items;
}

async function refusedBy(t: ExecutionContext, promise: Promise<unknown>): Promise<[code: string, message: string]> {
  const error = await t.throwsAsync(promise, { instanceOf: UsherdError });
  return [error.code, error.message];
}

/** Sends bytes as they are and collects what comes back until the other side closes. */
async function sendRaw(socketPath: string, bytes: Buffer | string): Promise<string> {
  const socket = createConnection(socketPath);
  const got: Buffer[] = [];
  socket.on('data', part => got.push(part));
  socket.on('error', () => {});
  socket.write(bytes);
  // Not events.once, which takes an error for its end: a reset comes before the close.
  await new Promise(resolve => socket.once('close', resolve));
  return Buffer.concat(got).toString('utf8');
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 5));
}

test('a client gets the items of its request in order, then the end', async t => {
  const { socketPath } = await listening(t);
  t.deepEqual(await ask(socketPath, 'count', { to: 3 }), [
    { n: 1, asBig: '1' },
    { n: 2, asBig: '2' },
    { n: 3, asBig: '3' },
  ]);
  t.is((await ask(socketPath, 'count', { to: 20_000 })).length, 20_000);
});

test('what goes over the wire is what the protocol says', async t => {
  const { socketPath } = await listening(t);
  t.is(
    await sendRaw(socketPath, '{"usherd":1,"verb":"whoami"}\n'),
    '{"usherd":1,"version":"0.1.0","role":"admin"}\n{"item":{"peer":{"pid":10,"uid":0,"gid":0},"role":"admin"}}\n{"end":true}\n',
  );
});

test('the peer is told by the descriptor of its own connection', async t => {
  const inodes: number[] = [];
  const { socketPath } = await listening(t, {
    peerCredentials: fd => {
      const stats = fstatSync(fd);
      t.true(stats.isSocket());
      inodes.push(stats.ino);
      return SOMEBODY;
    },
  });
  const expected = [{ peer: { ...SOMEBODY }, role: 'read' }];
  t.deepEqual(await Promise.all([ask(socketPath, 'whoami'), ask(socketPath, 'whoami')]), [expected, expected]);
  t.is(new Set(inodes).size, 2);
});

test('root and the user of the daemon are admins, everybody else reads', t => {
  t.deepEqual(
    [0, 990, 1000].map(uid => roleOf({ pid: 1, uid, gid: 0 }, 990)),
    ['admin', 'admin', 'read'],
  );
  t.deepEqual(
    [mayUse('admin', 'admin'), mayUse('admin', 'read'), mayUse('read', 'read'), mayUse('read', 'admin')],
    [true, true, true, false],
  );
});

test('who only reads is refused what changes things, told why, and counted', async t => {
  const { server, socketPath, refusals } = await listening(t, { peerCredentials: () => SOMEBODY });
  const reason = 'stop needs the role admin, and uid 54321 has read';
  t.deepEqual(await refusedBy(t, ask(socketPath, 'stop')), ['DAEMON_REFUSED', reason]);
  t.deepEqual(refusals, [{ kind: 'role', reason, peer: SOMEBODY, verb: 'stop' }]);
  t.deepEqual(server.stats().refused, { role: 1 });
});

test('a peer the kernel does not name is refused', async t => {
  const { socketPath, refusals } = await listening(t, {
    peerCredentials: () => {
      throw new Error('getsockopt: EOPNOTSUPP');
    },
  });
  const reason = 'it is not known who asks: getsockopt: EOPNOTSUPP';
  t.deepEqual(await refusedBy(t, ask(socketPath, 'whoami')), ['DAEMON_REFUSED', reason]);
  t.deepEqual(refusals, [{ kind: 'unknown-peer', reason }]);
});

test('an error of a handler reaches the client with its code and facts, a bug without its words', async t => {
  const { socketPath, bugs } = await listening(t);
  const error = await t.throwsAsync(ask(socketPath, 'missing'), { instanceOf: UsherdError });
  t.deepEqual(
    [error.code, error.message, error.details],
    ['NOT_FOUND', 'no device sdq', { device: 'sdq', seqnum: '7' }],
  );
  t.deepEqual(await refusedBy(t, ask(socketPath, 'broken')), [
    'DAEMON_REFUSED',
    'broken failed in the daemon; its log says how',
  ]);
  t.deepEqual(bugs.map(String), ['Error: the secret is 42']);
  t.deepEqual(await refusedBy(t, ask(socketPath, 'huge')), [
    'DAEMON_REFUSED',
    'an item has 1048588 bytes, a message may have 1048576',
  ]);
});

const hostile: readonly (readonly [string, string | Buffer, string])[] = [
  ['that is no JSON', 'status\n', 'the request is no JSON object'],
  ['that is no object', '[1]\n', 'the request is no JSON object'],
  ['that is nested too deep', `${'['.repeat(500_000)}\n`, 'the request is no JSON object'],
  ['that is no text', Buffer.from([0xff, 0xfe, 0x00, 0x0a]), 'the request is no JSON object'],
  ['of another protocol', '{"usherd":2,"verb":"whoami"}\n', 'the request is of protocol 2, this daemon speaks 1'],
  ['without a protocol', '{"verb":"whoami"}\n', 'the request is of protocol null, this daemon speaks 1'],
  ['without a verb', '{"usherd":1}\n', 'the request names no verb'],
  ['with a verb of objects', '{"usherd":1,"verb":"__proto__"}\n', 'the request names no verb'],
  [
    'with params that are a list',
    '{"usherd":1,"verb":"whoami","params":[]}\n',
    'the request has params that are no object',
  ],
  ['followed by another', '{"usherd":1,"verb":"whoami"}\n{"usherd":1,"verb":"stop"}\n', 'more than one request came'],
  ['longer than a message', 'x'.repeat(MESSAGE_MAX_BYTES + 1), 'the request is longer than 1048576 bytes'],
  ['much longer', 'x'.repeat(8 * MESSAGE_MAX_BYTES), 'the request is longer than 1048576 bytes'],
];
for (const [what, bytes, reason] of hostile) {
  test(`a request ${what} is refused with the reason, and counted`, async t => {
    const { server, socketPath, refusals } = await listening(t);
    const answer = await sendRaw(socketPath, bytes);
    t.deepEqual(
      refusals.map(refusal => refusal.reason),
      [reason],
    );
    t.is((JSON.parse(answer) as { error: { message: string } }).error.message, reason);
    t.deepEqual(await ask(socketPath, 'count', { to: 1 }), [{ n: 1, asBig: '1' }]);
    await until(() => server.stats().clients === 0);
  });
}

test('a verb that is not there is refused with those that are', async t => {
  const { socketPath } = await listening(t);
  t.deepEqual(await refusedBy(t, ask(socketPath, 'constructor')), [
    'DAEMON_REFUSED',
    `there is no verb constructor; there are ${Object.keys(handlers).join(', ')}`,
  ]);
});

test('a client that never asks is let go', async t => {
  // Long enough for what was sent to have been read: closing on what nobody read takes the answer from the client (unix(7)).
  const { socketPath, refusals } = await listening(t, { requestWaitMs: 500 });
  const answer = await sendRaw(socketPath, '{"usherd":1,');
  t.is(refusals[0]?.reason, 'no request came within 500 ms');
  t.regex(answer, /no request came within 500 ms/);
});

for (const verb of ['flood', 'gush']) {
  test(`a client that does not read the answer to ${verb} is let go, and the daemon holds a bounded part of it`, async t => {
    const { server, socketPath, refusals } = await listening(t, { slowReaderMs: 50 });
    const socket = createConnection(socketPath);
    socket.on('error', () => {});
    socket.pause();
    socket.write(`{"usherd":1,"verb":"${verb}"}\n`);
    await until(() => refusals.length > 0 && server.stats().clients === 0);
    t.deepEqual(
      refusals.map(({ kind, verb: of }) => [kind, of]),
      [['slow-reader', verb]],
    );
    socket.destroy();
  });
}

test('a client that leaves ends the handler that follows for it', async t => {
  const { server, socketPath } = await listening(t);
  for await (const item of callDaemon({ socketPath, verb: 'follow' })) {
    t.is(item, 'first');
    t.is(server.stats().clients, 1);
    break;
  }
  await until(() => server.stats().clients === 0 && server.stats().served === 1);

  const stop = new AbortController();
  for await (const item of callDaemon({ socketPath, verb: 'follow', signal: stop.signal })) {
    t.is(item, 'first');
    stop.abort();
  }
  await until(() => server.stats().served === 2 && server.stats().clients === 0);
});

test('one user cannot take all connections, and root still gets through', async t => {
  let peer = SOMEBODY;
  const { socketPath, refusals } = await listening(t, { peerCredentials: () => peer });
  const held: Socket[] = [];
  t.teardown(() => held.forEach(socket => socket.destroy()));
  for (let n = 0; n < CLIENTS_PER_USER_MAX; n++) {
    const socket = createConnection(socketPath);
    held.push(socket);
    socket.write('{"usherd":1,"verb":"follow"}\n');
    await once(socket, 'data');
  }
  t.deepEqual(await refusedBy(t, ask(socketPath, 'whoami')), [
    'DAEMON_REFUSED',
    'uid 54321 has 16 connections, at most 16 may be',
  ]);
  t.deepEqual(
    refusals.map(({ kind }) => kind),
    ['too-many-clients'],
  );
  peer = ROOT;
  t.deepEqual(await ask(socketPath, 'count', { to: 1 }), [{ n: 1, asBig: '1' }]);
});

test('a client without a daemon is told so', async t => {
  const socketPath = path.join(scratch(t), 'usherd.sock');
  t.deepEqual(await refusedBy(t, ask(socketPath, 'whoami')), [
    'DAEMON_UNREACHABLE',
    `${socketPath}: connect ENOENT ${socketPath}`,
  ]);
});

test('a daemon that goes away in the middle is told from one that has answered', async t => {
  const { server, socketPath } = await listening(t);
  const refused = refusedBy(
    t,
    (async () => {
      for await (const item of callDaemon({ socketPath, verb: 'follow' })) {
        t.is(item, 'first');
        await server.close();
      }
    })(),
  );
  t.is((await refused)[0], 'DAEMON_UNREACHABLE');
});

test('a daemon that talks nonsense is no daemon of ours', async t => {
  const socketPath = path.join(scratch(t), 'nonsense.sock');
  const impostor = createServer(socket => socket.end('220 mail.example.org ESMTP\r\n'));
  impostor.listen(socketPath);
  await once(impostor, 'listening');
  t.teardown(() => impostor.close());
  t.deepEqual(await refusedBy(t, ask(socketPath, 'whoami')), [
    'DAEMON_REFUSED',
    'the daemon says what this usher does not know: 220 mail.example.org ESMTP\r',
  ]);
});

test('the socket is for all to connect to, its folder only for the daemon to write', async t => {
  const { socketPath } = await listening(t);
  t.is(statSync(socketPath).mode & 0o777, 0o666);
  t.is(statSync(path.dirname(socketPath)).mode & 0o777, 0o755);
});

test('the socket of a killed daemon is replaced, that of a living one is not', async t => {
  const folder = scratch(t);
  const socketPath = path.join(folder, 'usherd.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`;
  t.is(spawnSync(process.execPath, ['-e', script]).signal, 'SIGKILL');
  t.true(existsSync(socketPath));
  const options = { socketPath, version: '1', handlers, peerCredentials: () => ROOT, daemonUid: OWN_UID };
  const server = await IpcServer.listen(options);
  t.deepEqual(await refusedBy(t, IpcServer.listen(options)), [
    'DAEMON_RUNNING',
    `${socketPath}: another usherd answers there`,
  ]);
  t.deepEqual(await ask(socketPath, 'count', { to: 1 }), [{ n: 1, asBig: '1' }]);
  await server.close();
  t.false(existsSync(socketPath));
});

test('a place where others could put a socket of their own is refused', async t => {
  const folder = scratch(t);
  const at = (socketPath: string, daemonUid = OWN_UID): Promise<[string, string]> =>
    refusedBy(t, IpcServer.listen({ socketPath, version: '1', handlers, peerCredentials: () => ROOT, daemonUid }));
  const open = path.join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  t.deepEqual(await at(path.join(open, 's')), [
    'SOCKET_UNUSABLE',
    `${open}: others may write there (mode 777, wanted 755)`,
  ]);
  chmodSync(open, 0o755);
  const wrongUid = OWN_UID + 1;
  t.deepEqual(await at(path.join(open, 's'), wrongUid), [
    'SOCKET_UNUSABLE',
    `${open}: it belongs to uid ${OWN_UID}, not to ${wrongUid}`,
  ]);
  const file = path.join(open, 'file');
  writeFileSync(file, 'mine');
  t.deepEqual(await at(file), ['SOCKET_UNUSABLE', `${file}: something that is no socket stands there`]);
  const long = path.join(open, 'x'.repeat(120));
  t.deepEqual(await at(long), [
    'SOCKET_UNUSABLE',
    `${long}: its path has ${Buffer.byteLength(long)} bytes, a socket's may have 107`,
  ]);
});

test('no line makes either side throw anything but an UsherdError', t => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map(json => `{"usherd":1,"verb":${json}}`),
      ),
      line => {
        const request = parseRequest(line);
        t.true('refusal' in request || typeof request.verb === 'string');
        try {
          parseReply(line);
        } catch (error) {
          t.true(error instanceof UsherdError);
        }
      },
    ),
  );
});
