/** One field of a stanza: its value, and the line it begins on, counted from the stanza's first, which is 0. */
export interface Field {
  readonly value: string;
  readonly line: number;
}

/** Fields of one stanza by their names in lower case: deb822(5) has them alike whatever their case. */
export type Stanza = ReadonlyMap<string, Field>;

/**
 * Text of one stanza of deb822(5) → its fields. Lines that begin with a blank go on with the field before; lines with `#` are left out,
 * and so is what is no field. Of two fields with one name the first counts.
 */
export function parseStanza(text: string): Stanza {
  const fields = new Map<string, { value: string; readonly line: number }>();
  let current: { value: string; readonly line: number } | undefined;
  for (const [line, content] of text.split('\n').entries()) {
    if (content === '' || content.startsWith('#')) continue;
    if (content.startsWith(' ') || content.startsWith('\t')) {
      if (current !== undefined) current.value += `\n${content.trim()}`;
      continue;
    }
    const colon = content.indexOf(':');
    const name = content.slice(0, colon).toLowerCase();
    current = undefined;
    if (colon <= 0 || fields.has(name)) continue;
    current = { value: content.slice(colon + 1).trim(), line };
    fields.set(name, current);
  }
  return fields;
}
