import { parametersOf, type ModinfoString } from '../../kmod/ko/modinfo.ts';
import type { ModuleSignature } from '../../kmod/ko/signature.ts';

/** What modinfo(8) prints of one module. Texts have one character a byte, as they stand in the file. */
export interface ModinfoSubject {
  /** Absolute path; undefined for a module that is part of the kernel. */
  readonly file: string | undefined;
  readonly name: string;
  /** Undefined when they cannot be read; then only what is known without them is printed. */
  readonly strings: readonly ModinfoString[] | undefined;
}

export interface ModinfoForm {
  /** Print only this field. */
  readonly field: string | undefined;
  /** What ends a line: a newline, or a NUL with -0. */
  readonly separator: '\n' | '\0';
}

/** The field of the build's id. */
export const BUILD_ID_FIELD = 'build-id';
/** Room for `key:` before a value. */
const KEY_WIDTH = 16;
const SIGNATURE_BYTES_PER_LINE = 20;

/**
 * A module → its lines, in modinfo(8)'s order: file name, all strings as they stand in the file, parameters last and the first
 * mentioned of them last. With a NUL as separator strings become `key=value`, but the file name and the parameters do not:
 * kmod prints them so, and scripts have learnt it (kmod-project/kmod#434). Source: as observed of kmod 30.
 */
export function modinfoText({ file, name, strings }: ModinfoSubject, { field, separator }: ModinfoForm): string {
  const path = file ?? '(builtin)';
  if (field === 'filename') return path + separator;
  if (field === 'parm')
    return parameterLines(strings ?? [], ' ')
      .map(line => line + separator)
      .join('');
  // A module that is part of the kernel has no name among its strings: it is known by the line it stands in.
  if (field === 'name' && file === undefined) return name + separator;
  if (field !== undefined) {
    const values = (strings ?? []).filter(({ key }) => key === field).map(({ value }) => value);
    return values.map(line => line + separator).join('');
  }
  const lines = [...(file === undefined ? [padded('name', name)] : []), padded('filename', path)];
  for (const { key, value } of strings ?? []) {
    if (key === 'parm' || key === 'parmtype') continue;
    lines.push(separator === '\0' ? `${key}=${value}` : padded(key, value));
  }
  for (const text of parameterLines(strings ?? [], '')) lines.push(padded('parm', text));
  return lines.map(line => line + separator).join('');
}

/** What a signature says, as modinfo lists it behind a module's own strings. */
export function signatureStrings({ format, signer, keyId, hash, bytes }: ModuleSignature): ModinfoString[] {
  return [
    { key: 'sig_id', value: format },
    { key: 'signer', value: Buffer.from(signer).toString('latin1') },
    { key: 'sig_key', value: keyId },
    { key: 'sig_hashalgo', value: hash },
    { key: 'signature', value: hexLines(bytes) },
  ];
}

/**
 * The build's id, in the form of a signature. kmod 34 prints it among all, kmod 30 does not: it is only there for who asks for this
 * field, and in JSON.
 */
export function buildIdStrings(id: Buffer | undefined): ModinfoString[] {
  return id === undefined ? [] : [{ key: BUILD_ID_FIELD, value: hexLines(id) }];
}

/** A key that is too long is followed by as many blanks as it is too long: so does kmod's format, and so it is compared. */
function padded(key: string, value: string): string {
  return `${key}:${' '.repeat(Math.abs(KEY_WIDTH - 1 - key.length))}${value}`;
}

/** `name:description (type)`; one of which only the type is known is `name:type`, with -p `name: (type)`. */
function parameterLines(strings: readonly ModinfoString[], bareGap: '' | ' '): readonly string[] {
  return parametersOf(strings)
    .toReversed()
    .map(({ name, description, type }) => {
      if (type === '') return `${name}:${description}`;
      if (description === '') return bareGap === '' ? `${name}:${type}` : `${name}: (${type})`;
      return `${name}:${description} (${type})`;
    });
}

/** Hex pairs with colons, twenty on a line. */
function hexLines(bytes: Buffer): string {
  const pairs = Array.from(bytes, byte => byte.toString(16).toUpperCase().padStart(2, '0'));
  const lines: string[] = [];
  for (let at = 0; at < pairs.length; at += SIGNATURE_BYTES_PER_LINE) {
    lines.push(pairs.slice(at, at + SIGNATURE_BYTES_PER_LINE).join(':'));
  }
  return lines.join(':\n\t\t');
}
