import { UsherdError } from '../errors.ts';
import { callDaemon } from '../ipc/client.ts';
import type { JsonObject } from '../ipc/protocol.ts';
import type { Json } from '../pipeline/8-report/json.ts';
import type { Caller } from './verb.ts';

/**
 * Asks the first daemon that answers at one of the caller's places.
 * @throws {UsherdError} DAEMON_UNREACHABLE, and what the daemon refuses
 */
export async function* askDaemon(
  { roots, signal }: Caller,
  verb: string,
  params: JsonObject = {},
): AsyncGenerator<Json> {
  for (const socketPath of roots.sockets) {
    try {
      yield* callDaemon({ socketPath, verb, params, signal });
      return;
    } catch (error) {
      if (!(error instanceof UsherdError) || error.code !== 'DAEMON_UNREACHABLE') throw error;
    }
  }
  const places = roots.sockets.join(' nor at ');
  throw new UsherdError('DAEMON_UNREACHABLE', `no daemon answers at ${places}`, { sockets: roots.sockets });
}
