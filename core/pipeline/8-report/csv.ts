/**
 * Titles and rows → lines of CSV as RFC 4180 has it: quoted where a cell has a comma, a quote, a line break, or a blank at an end. A cell
 * that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection"), since devices name themselves.
 */
export function formatCsv(titles: readonly string[], rows: Iterable<readonly unknown[]>): string[] {
  return [titles, ...rows].map(row => row.map(csvCell).join(','));
}

export function csvCell(value: unknown): string {
  const plain = plainText(value);
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A value as text; nothing for one that is not there, JSON for a composed one. */
export function plainText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}
