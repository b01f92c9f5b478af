import { parse, TomlError } from 'smol-toml';
import type { Place, Problem } from './place.ts';

/** A TOML document: its table, or what is wrong with it and where. */
export type TomlDocument =
  | { readonly table: Record<string, unknown>; readonly problem?: undefined }
  | { readonly problem: Problem };

/** Text of a TOML document, which stands in `file` from line `line0` + 1 on. */
export function readToml(text: string, file: string, line0 = 0): TomlDocument {
  try {
    return { table: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = `not TOML: ${error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? ''}`;
    return { problem: { place: { file, line: line0 + error.line, column: error.column }, message } };
  }
}

/** Where a key of a document is set, or its table begins: on the first line that starts with it. */
export function placeOfTomlKey(text: string, file: string, key: string): Place {
  const line = text.split('\n').findIndex(candidate => candidate.replace(/^\s*\[?\s*"?/, '').startsWith(key));
  return line < 0 ? { file } : { file, line: line + 1 };
}
