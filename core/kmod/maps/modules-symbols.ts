import type { ModuleName } from '../../vocabulary/module-name.ts';
import { formatAliasLine, parseModulesAlias } from './modules-alias.ts';
import { parseLines, type MapFile } from './text-lines.ts';

/** One line of modules.symbols, `alias symbol:NAME MODULE`: the module that exports a symbol. */
export interface SymbolLine {
  readonly symbol: string;
  readonly module: ModuleName;
}

/** What stands before a symbol's name in modules.symbols and in a query for one. */
export const SYMBOL_PREFIX = 'symbol:';

/** modules.symbols → its lines. */
export function parseModulesSymbols(text: string, file: string): MapFile<SymbolLine> {
  return parseLines(text, file, '"alias symbol:NAME MODULE"', line => {
    const alias = parseModulesAlias(line, file).entries[0];
    if (!alias?.pattern.startsWith(SYMBOL_PREFIX)) return undefined;
    return { symbol: alias.pattern.slice(SYMBOL_PREFIX.length), module: alias.module };
  });
}

/** The line depmod writes, with its newline. */
export function formatSymbolLine(symbol: string, module: string): string {
  return formatAliasLine(SYMBOL_PREFIX + symbol, module);
}
