import type { ModuleRestrictions } from '../../kernel/restrictions.ts';
import { errnoText, type ErrnoName } from '../../vocabulary/errno.ts';

/**
 * Why the kernel did not let a module go, for a person. Source: delete_module(2), kernel/module/main.c.
 */
export function removalMeaning(errno: ErrnoName, restrictions: ModuleRestrictions): string {
  switch (errno) {
    case 'EPERM':
      return restrictions.modulesDisabled
        ? 'kernel.modules_disabled is 1: no module is removed until the next boot'
        : 'the kernel does not permit it: CAP_SYS_MODULE is missing';
    case 'EAGAIN':
      return 'something uses it: a module, an open device, a mount or a socket';
    case 'EBUSY':
      return 'it has no way to be removed (no exit function), or is being loaded or removed at this moment';
    case 'ENOENT':
      return 'the kernel has no module of that name';
    case 'ENOSYS':
      return restrictions.hasModules
        ? 'this kernel was built without unloading (CONFIG_MODULE_UNLOAD)'
        : 'this kernel has no loadable modules (built without them, or booted with nomodule)';
    default:
      return errnoText(errno).toLowerCase();
  }
}
