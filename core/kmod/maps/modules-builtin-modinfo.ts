import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import type { Problem } from '../../vocabulary/place.ts';
import { excerpt, type MapFile } from './text-lines.ts';

/** One string of modules.builtin.modinfo, `MODULE.KEY=VALUE`. The module's name is as written, with its dashes. */
export interface BuiltinModinfo {
  readonly module: ModuleName;
  readonly key: string;
  readonly value: string;
}

/** modules.builtin.modinfo, strings with a NUL after each → what each builtin module says of itself, in file order. */
export function parseModulesBuiltinModinfo(text: string, file: string): MapFile<BuiltinModinfo> {
  const entries: BuiltinModinfo[] = [];
  const problems: Problem[] = [];
  let start = 0;
  while (start < text.length) {
    const nul = text.indexOf('\0', start);
    const end = nul < 0 ? text.length : nul;
    const string = text.slice(start, end);
    const dot = string.indexOf('.');
    const equals = string.indexOf('=', dot + 1);
    if (dot > 0 && equals > dot) {
      entries.push({
        module: moduleName(string.slice(0, dot)),
        key: string.slice(dot + 1, equals),
        value: string.slice(equals + 1),
      });
    } else if (string !== '') {
      problems.push({
        place: { file, offsetBytes: start },
        message: `found "${excerpt(string)}", wanted "MODULE.KEY=VALUE"`,
      });
    }
    start = end + 1;
  }
  return { entries, problems };
}

/** The string as the kernel's build writes it, with its NUL. */
export function formatBuiltinModinfo({ module, key, value }: BuiltinModinfo): string {
  return `${module}.${key}=${value}\0`;
}
