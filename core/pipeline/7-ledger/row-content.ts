import { hash } from 'node:crypto';

/**
 * The content of a row as one text, so that it can be hashed. Two rows have the same text only when every field is the same; ids of
 * texts and places stand for what they mean, not for themselves, and the row's own id is left out, because its place in the seal says
 * it (seals.ts).
 *
 *   text    LENGTH:TEXT    length in UTF-16 units
 *   number  NUMBER;        as JavaScript writes it, the shortest that reads back
 *   absent  -
 *   row of a child table   TABLE{ fields … }
 *
 * A row is `KIND{ fields and child rows }`. Order and kind of the fields: row-shapes.ts.
 */
export function textField(text: string): string {
  return `${text.length}:${text}`;
}

export function optionalTextField(text: string | null | undefined): string {
  return text === null || text === undefined ? '-' : `${text.length}:${text}`;
}

export function numberField(number: number | bigint | null | undefined): string {
  return number === null || number === undefined ? '-' : `${number};`;
}

/** Bytes kept of each row's SHA-256: to find another row with the same ones takes 2^128 tries. */
export const DIGEST_BYTES = 16;

/** A row's content → its digest in hexadecimal: the form in which making and joining them costs least. */
export function digestOf(content: string): string {
  return hash('sha256', content, 'hex').slice(0, 2 * DIGEST_BYTES);
}
