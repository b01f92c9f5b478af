import type { ModuleName } from '../../vocabulary/module-name.ts';

/** Who holds a module, for a person. */
export function usersText({
  module,
  refcnt,
  holders,
}: {
  readonly module: ModuleName;
  readonly refcnt: number;
  readonly holders: readonly ModuleName[];
}): string {
  const others = refcnt - holders.length;
  const users = [
    ...(holders.length > 0 ? [`the ${holders.length === 1 ? 'module' : 'modules'} ${holders.join(', ')}`] : []),
    ...(others > 0 ? [`${others} other ${others === 1 ? 'user' : 'users'}: open devices, mounts, sockets`] : []),
  ];
  return `${module} is held by ${users.join(', and by ')}`;
}
