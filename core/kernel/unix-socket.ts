import type { Socket } from 'node:net';
import { errnoName, type ErrnoName } from '../vocabulary/errno.ts';
import { native, type PeerCredentials } from './native.ts';

/** Who is at the other end of a connection on a unix socket (SO_PEERCRED, unix(7)), or why that cannot be told. */
export function peerCredentials(
  socket: Socket,
): { kind: 'known'; peer: PeerCredentials } | { kind: 'unknown'; errno: ErrnoName } {
  // Node has no public way to a socket's descriptor (nodejs/node#61933); a test watches that this one stays.
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  if (fd === undefined || fd < 0) return { kind: 'unknown', errno: 'EBADF' };
  const answer = native().peerCredentials(fd);
  return typeof answer === 'number' ? { kind: 'unknown', errno: errnoName(-answer) } : { kind: 'known', peer: answer };
}

/**
 * One datagram to a unix socket, named by a path or, after `@`, by an abstract name (as NOTIFY_SOCKET is, sd_notify(3)).
 * Undefined when it was sent. Never waits: a full or absent receiver is EAGAIN, ENOENT or ECONNREFUSED, a long message EMSGSIZE.
 */
export function sendDatagram(address: string, bytes: Uint8Array): ErrnoName | undefined {
  const status = native().unixSend(address, bytes);
  return status === 0 ? undefined : errnoName(-status);
}
