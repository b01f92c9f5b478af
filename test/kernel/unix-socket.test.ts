import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { peerCredentials, sendDatagram } from '../../core/kernel/unix-socket.ts';
import { whyNoProgram } from '../support/machine.ts';
import { testUnless } from '../support/skip-aloud.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'usherd-unix-'));
test.after.always(() => rmSync(folder, { recursive: true }));

test('the peer of a connection on a unix socket is known by process, user and group', async t => {
  const file = path.join(folder, 'peer.sock');
  const server = createServer();
  server.listen(file);
  await once(server, 'listening');
  const client = connect(file);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  t.deepEqual(peerCredentials(accepted), {
    kind: 'known',
    peer: { pid: process.pid, uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 },
  });
  client.destroy();
  accepted.destroy();
  server.close();
  t.deepEqual(peerCredentials(accepted), { kind: 'unknown', errno: 'EBADF' });
});

test('a connection that is not on a unix socket has no peer that could be told', async t => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  t.deepEqual(peerCredentials(accepted), { kind: 'unknown', errno: 'EOPNOTSUPP' });
  client.destroy();
  accepted.destroy();
  server.close();
});

/** Binds a datagram socket, says when it is there, prints what arrives. Node cannot do this itself. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name[0] == '@' else name)
print('bound', flush=True)
sys.stdout.write(s.recv(65536).decode())
`;

const testWithPython = testUnless(whyNoProgram('python3'));

for (const address of [path.join(folder, 'notify.sock'), `@usherd-test-${process.pid}`]) {
  const kind = address.startsWith('@') ? 'an abstract name' : 'a path';
  testWithPython(`a datagram sent to ${kind} arrives as it is`, async t => {
    const receiver = spawn('python3', ['-c', RECEIVER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    receiver.stdout.on('data', chunk => (output += String(chunk)));
    while (!output.startsWith('bound\n')) await sleep(5);
    t.is(sendDatagram(address, Buffer.from('READY=1\nSTATUS=é')), undefined);
    await once(receiver, 'close');
    t.is(output, 'bound\nREADY=1\nSTATUS=é');
  });
}

test('a datagram nobody can take is refused with the reason of sendto(2)', t => {
  t.is(sendDatagram(path.join(folder, 'absent'), Buffer.from('x')), 'ENOENT');
  t.is(sendDatagram('@usherd-nobody-listens-here', Buffer.from('x')), 'ECONNREFUSED');
  t.is(sendDatagram(`/${'x'.repeat(200)}`, Buffer.from('x')), 'ENAMETOOLONG');
  t.is(sendDatagram('', Buffer.from('x')), 'EINVAL');
  t.is(sendDatagram('@usherd-nobody-listens-here', new Uint8Array(4 << 20)), 'EMSGSIZE');
});
