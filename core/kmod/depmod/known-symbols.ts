import type { Problem } from '../../vocabulary/place.ts';
import { excerpt } from '../maps/text-lines.ts';

/** A symbol the kernel itself has, with its checksum; undefined where the source has none. */
export interface KnownSymbol {
  readonly name: string;
  readonly crc: number | undefined;
}

/** The kernel's symbols, and the lines that were not understood. */
export interface KnownSymbols {
  readonly symbols: readonly KnownSymbol[];
  readonly problems: readonly Problem[];
}

/** Symbols every module may use though nothing exports them. Source: kmod tools/depmod.c, depmod_add_fake_syms. */
export const ASSUMED_SYMBOLS = ['__this_module', '_GLOBAL_OFFSET_TABLE_', 'TOC.'] as const;

/**
 * Module.symvers of a kernel build, lines `0xCRC NAME WHERE EXPORT`, → the symbols of vmlinux. Those of modules are left out: the
 * modules themselves say them. A symbol prefix before a name is left out. Source: Documentation/kbuild/modules.rst.
 */
export function parseSymvers(text: string, file: string, symbolPrefix = ''): KnownSymbols {
  const symbols: KnownSymbol[] = [];
  const problems: Problem[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [crc, name, where] = line.split(/[ \t]+/);
    if (crc === undefined || name === undefined || where === undefined || !/^0x[0-9a-f]{1,16}$/i.test(crc)) {
      problems.push({ place: { file, line: i + 1 }, message: `found "${excerpt(line)}", wanted "0xCRC NAME WHERE"` });
    } else if (where === 'vmlinux') {
      symbols.push({ name: withoutPrefix(name, symbolPrefix), crc: Number(BigInt.asUintN(32, BigInt(crc))) });
    }
  }
  return { symbols, problems };
}

/**
 * System.map, lines `ADDRESS TYPE NAME`, → the names that a `__ksymtab_NAME` says are exported, that being behind the symbol prefix
 * where names have one. Checksums are not in it.
 */
export function parseSystemMap(text: string, file: string, symbolPrefix = ''): KnownSymbols {
  const symbols: KnownSymbol[] = [];
  const problems: Problem[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [, , whole] = line.split(' ');
    const name = withoutPrefix(whole ?? '', symbolPrefix);
    if (whole === undefined) {
      problems.push({ place: { file, line: i + 1 }, message: `found "${excerpt(line)}", wanted "ADDRESS TYPE NAME"` });
    } else if (name.startsWith('__ksymtab_')) symbols.push({ name: name.slice('__ksymtab_'.length), crc: undefined });
  }
  return { symbols, problems };
}

function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}
