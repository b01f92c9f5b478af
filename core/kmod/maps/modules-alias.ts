import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import { parseLines, type MapFile } from './text-lines.ts';

/** One line of modules.alias, `alias PATTERN MODULE`: the pattern as the module has it, not normalised. */
export interface AliasLine {
  readonly pattern: string;
  readonly module: ModuleName;
  /** Number of the line, from 1. */
  readonly line: number;
}

/** modules.alias → its lines. Words after the module are passed over, as modprobe passes over them. */
export function parseModulesAlias(text: string, file: string): MapFile<AliasLine> {
  return parseLines(text, file, '"alias PATTERN MODULE"', (line, number) => {
    const [keyword, pattern, module] = line.split(/[ \t]+/, 3);
    if (keyword !== 'alias' || pattern === undefined || !module) return undefined;
    return { pattern, module: moduleName(module), line: number };
  });
}

/** The line depmod writes, with its newline. */
export function formatAliasLine(pattern: string, module: string): string {
  return `alias ${pattern} ${module}\n`;
}
