/**
 * Lines of a file or of a program's output → properties: `KEY=VALUE`, the value in single or double quotes or in none. Lines of
 * another form, comments and empty values are left out. Source: udev(7), IMPORT; systemd, get_property_from_string.
 */
export function parsePropertyLines(text: string): [key: string, value: string][] {
  const properties: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(equals, 0)).trim();
    const value = unquote(line.slice(equals + 1).trim());
    if (equals < 0 || key === '' || key.startsWith('#') || value === undefined) continue;
    properties.push([key, value]);
  }
  return properties;
}

function unquote(value: string): string | undefined {
  if (value === '') return undefined;
  const quote = value.charAt(0);
  if (quote !== '"' && quote !== "'") return value;
  return value.length > 1 && value.endsWith(quote) ? value.slice(1, -1) : undefined;
}
