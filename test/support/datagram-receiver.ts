import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Binds a datagram socket, says when it is there, prints each datagram as a line of JSON. Node cannot do this itself. */
const RECEIVER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;

/** A unix datagram socket at a path, and what arrived there so far. Needs python3. */
export async function receiveDatagrams(file: string): Promise<{ readonly arrived: readonly string[]; stop(): void }> {
  const receiver = spawn('python3', ['-c', RECEIVER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const arrived: string[] = [];
  const lines = createInterface({ input: receiver.stdout });
  await once(lines, 'line');
  lines.on('line', line => arrived.push(JSON.parse(line) as string));
  return { arrived, stop: () => void receiver.kill() };
}
