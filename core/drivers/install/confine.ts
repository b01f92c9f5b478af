import { readFileSync } from 'node:fs';

/** Whom what reads from the network runs as, the first that is there: apt's own user, then the one who owns nothing. */
const FETCHERS = ['_apt', 'nobody'] as const;

/** The user that fetches. */
export interface Fetcher {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user on this machine that what reads from the network runs as; undefined when there is none. Source: passwd(5). */
export function fetcherUser(passwd = '/etc/passwd'): Fetcher | undefined {
  let lines: readonly string[];
  try {
    lines = readFileSync(passwd, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  for (const wanted of FETCHERS) {
    const [name, , uid, gid] = lines.find(line => line.startsWith(`${wanted}:`))?.split(':') ?? [];
    if (name !== undefined && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/**
 * Words → the same, run with the network and without any privilege: another user, no groups, no capability now or later.
 * Source: setpriv(1).
 */
export function withoutPrivileges(words: readonly string[], { uid, gid }: Fetcher): readonly string[] {
  const drop = ['--clear-groups', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...drop, '--', ...words];
}

/** Words → the same, run with all privileges and without a network: in an empty network namespace. Source: unshare(1). */
export function withoutNetwork(words: readonly string[]): readonly string[] {
  return ['unshare', '--net', '--', ...words];
}
