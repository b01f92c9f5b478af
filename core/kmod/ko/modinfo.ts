/** One string of a module's .modinfo section, `KEY=VALUE`. A key may stand there many times (alias, parm, firmware). */
export interface ModinfoString {
  readonly key: string;
  readonly value: string;
}

/** A parameter the module takes. */
export interface ModuleParameter {
  readonly name: string;
  /** `parm=NAME:DESCRIPTION`; empty when the module describes it by its type alone. */
  readonly description: string;
  /** `parmtype=NAME:TYPE`: `int`, `bool`, `charp`, `array of int`. */
  readonly type: string;
}

/** What a module says of itself, by the keys that have a meaning to us. */
export interface Modinfo {
  /** All strings, in file order. */
  readonly strings: readonly ModinfoString[];
  readonly name: string | undefined;
  readonly license: string | undefined;
  readonly vermagic: string | undefined;
  readonly description: string | undefined;
  /** Names of the modules whose symbols it uses, as written. */
  readonly depends: readonly string[];
  readonly aliases: readonly string[];
  readonly firmware: readonly string[];
  readonly softdeps: readonly string[];
  readonly weakdeps: readonly string[];
  /** In the order they are first mentioned; modinfo(8) prints them the other way round. */
  readonly parameters: readonly ModuleParameter[];
}

/**
 * Bytes of a .modinfo section → its strings: texts with NULs between, any number of them. A text without `=` has an empty value.
 * Source: include/linux/module.h, MODULE_INFO; kmod libkmod-elf.c, kmod_elf_get_strings.
 */
export function parseModinfo(bytes: Buffer): ModinfoString[] {
  const strings: ModinfoString[] = [];
  for (const text of bytes.toString('latin1').split('\0')) {
    if (text === '') continue;
    const equals = text.indexOf('=');
    strings.push(equals < 0 ? { key: text, value: '' } : { key: text.slice(0, equals), value: text.slice(equals + 1) });
  }
  return strings;
}

/** The strings, sorted out. Texts are turned from bytes to UTF-8. */
export function readModinfo(bytes: Buffer): Modinfo {
  const strings = parseModinfo(bytes).map(({ key, value }) => ({ key: utf8(key), value: utf8(value) }));
  const all = (key: string): string[] => strings.filter(string => string.key === key).map(({ value }) => value);
  const first = (key: string): string | undefined => strings.find(string => string.key === key)?.value;
  return {
    strings,
    name: first('name'),
    license: first('license'),
    vermagic: first('vermagic'),
    description: first('description'),
    depends: all('depends')
      .flatMap(text => text.split(','))
      .filter(name => name !== ''),
    aliases: all('alias'),
    firmware: all('firmware'),
    softdeps: all('softdep'),
    weakdeps: all('weakdep'),
    parameters: parametersOf(strings),
  };
}

/** `parm` and `parmtype` strings → parameters. Source: kmod tools/modinfo.c, process_parm. */
export function parametersOf(strings: readonly ModinfoString[]): ModuleParameter[] {
  const found = new Map<string, { description: string; type: string }>();
  for (const { key, value } of strings) {
    if (key !== 'parm' && key !== 'parmtype') continue;
    const colon = value.indexOf(':');
    if (colon < 0) continue;
    const name = value.slice(0, colon);
    const parameter = found.get(name) ?? { description: '', type: '' };
    found.set(name, parameter);
    if (key === 'parm') parameter.description = value.slice(colon + 1);
    else parameter.type = value.slice(colon + 1);
  }
  return Array.from(found, ([name, parameter]) => ({ name, ...parameter }));
}

function utf8(latin1: string): string {
  for (let i = 0; i < latin1.length; i++) {
    if (latin1.charCodeAt(i) >= 0x80) return Buffer.from(latin1, 'latin1').toString('utf8');
  }
  return latin1;
}
