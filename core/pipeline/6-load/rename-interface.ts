import { renameInterface } from '../../kernel/device-calls.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';

/** Longest name of an interface in bytes. Source: linux/if.h, IFNAMSIZ less its NUL. */
const NAME_MAX_BYTES = 15;

/** Whether the kernel takes it as an interface's name; `%` would have it number the name. Source: net/core/dev.c, dev_valid_name. */
export function isInterfaceName(name: string): boolean {
  return (
    name !== '' &&
    Buffer.byteLength(name) <= NAME_MAX_BYTES &&
    !/[/:%\s]/.test(name) &&
    name !== '.' &&
    name !== '..' &&
    name !== 'all' &&
    name !== 'default'
  );
}

/** Gives an interface the name that rules say, unless it has it → why not, for a person, or undefined. */
export function nameInterface(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  if (!isInterfaceName(to)) return `"${to}" is no name of an interface`;
  const errno = renameInterface(from, to);
  return errno === undefined ? undefined : `${from} was not renamed to ${to}: ${meaningOf(errno)}`;
}

function meaningOf(errno: ErrnoName): string {
  switch (errno) {
    case 'EBUSY':
      return 'it is up, and this kernel renames only what is down';
    case 'EEXIST':
      return 'another interface has that name';
    case 'ENODEV':
      return 'it is gone';
    case 'EPERM':
      return 'CAP_NET_ADMIN is missing';
    default:
      return errno;
  }
}
