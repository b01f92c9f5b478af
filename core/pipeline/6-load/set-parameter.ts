import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { parameterFile } from '../../kernel/sys-parameters.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';

/** Sets a parameter of a module that is loaded, by its file in /sys → the kernel's error, or undefined when it took the value. */
export function setParameter(sysRoot: string, module: ModuleName, name: string, value: string): ErrnoName | undefined {
  try {
    // Not through a link, and not made if it is not there: only what the kernel itself put there is written to.
    const fd = openSync(parameterFile(sysRoot, module, name), constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      writeSync(fd, value);
    } finally {
      closeSync(fd);
    }
    return undefined;
  } catch (error) {
    return ((error as NodeJS.ErrnoException).code ?? 'EIO') as ErrnoName;
  }
}
