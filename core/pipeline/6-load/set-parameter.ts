import { parameterFile } from '../../kernel/sys-parameters.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { writeAttribute } from './reprobe.ts';

/** Sets a parameter of a module that is loaded, by its file in /sys → the kernel's error, or undefined when it took the value. */
export function setParameter(sysRoot: string, module: ModuleName, name: string, value: string): ErrnoName | undefined {
  return writeAttribute(parameterFile(sysRoot, module, name), value);
}
