import type { Socket } from 'node:net';
import { UsherdError } from '../errors.ts';

/**
 * A connected socket → its file descriptor, which Node keeps in a field without a promise to keep it there; this is the one place
 * that looks, and its test says when a Node moved it.
 * @throws {UsherdError} DAEMON_REFUSED when there is none: without it nobody knows who asks, and nobody unknown is answered
 */
export function socketFd(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: unknown } | null };
  const fd = handle?.fd;
  if (typeof fd !== 'number' || fd < 0)
    throw new UsherdError('DAEMON_REFUSED', 'the socket has no file descriptor to ask the kernel about');
  return fd;
}
