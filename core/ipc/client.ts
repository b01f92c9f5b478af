import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { UsherdError } from '../errors.ts';
import type { Json } from '../pipeline/8-report/json.ts';
import { LineReader } from './line-reader.ts';
import {
  MESSAGE_MAX_BYTES,
  parseReply,
  PROTOCOL_VERSION,
  type Hello,
  type JsonObject,
  type Reply,
} from './protocol.ts';

export interface CallOptions {
  readonly socketPath: string;
  readonly verb: string;
  readonly params?: JsonObject;
  /** Ends the call without an error. */
  readonly signal?: AbortSignal;
  /** Called with what the daemon says of itself, before the first item. */
  readonly onHello?: (hello: Hello) => void;
}

/**
 * Asks the daemon → its items, as they come; a consumer that is slow slows the daemon down.
 * @throws {UsherdError} DAEMON_UNREACHABLE when there is none or it goes away, DAEMON_REFUSED, or what the handler threw
 */
export async function* callDaemon({
  socketPath,
  verb,
  params = {},
  signal,
  onHello,
}: CallOptions): AsyncGenerator<Json, void, undefined> {
  if (signal?.aborted) return;
  const socket = await connect(socketPath);
  const leave = (): void => void socket.destroy();
  signal?.addEventListener('abort', leave);
  try {
    socket.write(`${JSON.stringify({ usherd: PROTOCOL_VERSION, verb, params })}\n`);
    for await (const reply of replies(socket)) {
      if (reply.kind === 'hello') onHello?.(reply.hello);
      if (reply.kind === 'item') yield reply.item;
      if (reply.kind === 'error') throw reply.error;
      if (reply.kind === 'end') return;
    }
    if (signal?.aborted !== true)
      throw new UsherdError('DAEMON_UNREACHABLE', `${socketPath}: the daemon closed before it had answered`, {
        socketPath,
      });
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof UsherdError) throw error;
    throw unreachable(socketPath, error);
  } finally {
    signal?.removeEventListener('abort', leave);
    socket.destroy();
  }
}

async function* replies(socket: Socket): AsyncGenerator<Reply, void, undefined> {
  const reader = new LineReader(MESSAGE_MAX_BYTES);
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    const lines = reader.push(bytes);
    if (lines === 'too-long')
      throw new UsherdError('DAEMON_REFUSED', `the daemon sends a message longer than ${MESSAGE_MAX_BYTES} bytes`);
    yield* lines.map(parseReply);
  }
}

async function connect(socketPath: string): Promise<Socket> {
  const socket = createConnection(socketPath);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    throw unreachable(socketPath, error);
  }
}

function unreachable(socketPath: string, error: unknown): UsherdError {
  const why = error instanceof Error ? error.message : String(error);
  return new UsherdError('DAEMON_UNREACHABLE', `${socketPath}: ${why}`, { socketPath }, error);
}
