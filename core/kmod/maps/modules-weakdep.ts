import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import { parseLines, type MapFile } from './text-lines.ts';

/** One line of modules.weakdep (kmod 33 and later), `weakdep MODULE NAMES`: what a module may come to ask for by itself. */
export interface WeakdepLine {
  readonly module: ModuleName;
  readonly modules: readonly string[];
}

/** modules.weakdep → its lines. */
export function parseModulesWeakdep(text: string, file: string): MapFile<WeakdepLine> {
  return parseLines(text, file, '"weakdep MODULE NAMES"', line => {
    const [keyword, module, ...modules] = line.split(/[ \t]+/).filter(word => word !== '');
    if (keyword !== 'weakdep' || module === undefined || modules.length === 0) return undefined;
    return { module: moduleName(module), modules };
  });
}

/** The line depmod writes for a module's `weakdep=` string, with its newline. */
export function formatWeakdepLine(module: string, text: string): string {
  return `weakdep ${module} ${text}\n`;
}
