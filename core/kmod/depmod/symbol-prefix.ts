import type { SymbolNames } from './symbol-names.ts';

/**
 * What `depmod -P` does to symbols: one that begins with the prefix is known by its name without it, once. The answer gives the number
 * of that name for each number that there is now; the names without it are added to the table. Source: kmod tools/depmod.c,
 * depmod_symbol_add, depmod_symbol_find.
 */
export function withoutPrefix(names: SymbolNames, prefix: string): (symbol: number) => number {
  if (prefix === '') return symbol => symbol;
  const keys = Int32Array.from({ length: names.count }, (_, symbol) => {
    const name = names.text(symbol);
    return name.startsWith(prefix) ? names.numberOf(name.slice(prefix.length)) : symbol;
  });
  return symbol => keys[symbol] ?? symbol;
}
