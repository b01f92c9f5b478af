/** Where a ledger's rows wait on disk until they stand in their tables: beside it. */
export function keptFileOf(ledgerFile: string): string {
  return `${ledgerFile}-kept`;
}
