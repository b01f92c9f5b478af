import { moduleNameOfPath, type ModuleName } from '../../vocabulary/module-name.ts';
import { parseModulesOrder } from './modules-order.ts';

/** modules.builtin, a path a line → the names of the modules that are part of the kernel itself, in its order. */
export function parseModulesBuiltin(text: string): ModuleName[] {
  return parseModulesOrder(text).map(moduleNameOfPath);
}
