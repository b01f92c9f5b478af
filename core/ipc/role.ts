/** Who is at the other end of a socket, by the kernel's word: SO_PEERCRED, unix(7). */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** `admin` may change what usherd does; `read` may look. */
export type Role = 'admin' | 'read';

/** Root and the daemon's own user are admins, everybody else reads. */
export function roleOf({ uid }: PeerCredentials, daemonUid: number): Role {
  return uid === 0 || uid === daemonUid ? 'admin' : 'read';
}

export function mayUse(role: Role, needed: Role): boolean {
  return role === 'admin' || needed === 'read';
}
