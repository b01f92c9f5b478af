import { damaged, SHN_ABS, SHN_UNDEF, SHT_NOBITS, textAt, type ElfFile, type ElfSection } from './elf.ts';
import { modversions, type VersionedSymbol } from './modversions.ts';

/** A symbol that has to come from the kernel or another module. */
export interface NeededSymbol extends VersionedSymbol {
  /** A weak symbol may be missing. */
  readonly isWeak: boolean;
}

const CRC_PREFIX = '__crc_';
const STB_WEAK = 2;

/** One entry of .symtab, as far as modules are concerned. */
export interface ElfSymbol {
  readonly name: string;
  readonly binding: number;
  readonly sectionIndex: number;
  readonly value: number;
}

/** Every named entry of .symtab, in file order. @throws {UsherdError} MODULE_FILE_DAMAGED */
export function* symbolTable(elf: ElfFile): Generator<ElfSymbol> {
  const table = elf.section('.symtab');
  const strings = elf.section('.strtab');
  if (table === undefined || strings === undefined) return;
  const entrySize = elf.is64 ? 24 : 16;
  if (table.size % entrySize !== 0) {
    throw damaged(
      elf.source,
      table.offset,
      `has a symbol table of ${table.size} bytes, wanted a multiple of ${entrySize}`,
    );
  }
  const bytes = elf.bytes(table);
  const names = elf.bytes(strings);
  for (let at = entrySize; at < bytes.length; at += entrySize) {
    const name = textAt(names, elf.u32(bytes, at));
    if (name === '') continue;
    yield elf.is64
      ? {
          name,
          binding: (bytes[at + 4] ?? 0) >> 4,
          sectionIndex: elf.u16(bytes, at + 6),
          value: elf.word(bytes, at + 8),
        }
      : {
          name,
          binding: (bytes[at + 12] ?? 0) >> 4,
          sectionIndex: elf.u16(bytes, at + 14),
          value: elf.u32(bytes, at + 4),
        };
  }
}

/**
 * What the module exports: the symbols `__crc_NAME` with their checksums; where there are none, the names in __ksymtab_strings
 * with 0. Source: kmod libkmod-elf.c, kmod_elf_get_symbols.
 */
export function exportedSymbols(elf: ElfFile): VersionedSymbol[] {
  const found: VersionedSymbol[] = [];
  for (const { name, sectionIndex, value } of symbolTable(elf)) {
    if (!name.startsWith(CRC_PREFIX)) continue;
    found.push({ name: name.slice(CRC_PREFIX.length), crc: crcOf(elf, sectionIndex, value) });
  }
  if (found.length > 0) return found;
  const strings = elf.section('__ksymtab_strings');
  if (strings === undefined) return [];
  const names = elf.bytes(strings).toString('latin1').split('\0');
  return names.filter(name => name !== '').map(name => ({ name, crc: 0 }));
}

/** The checksum is the symbol's value, or since Linux 4.11 on some architectures 4 bytes in the section it points into. */
function crcOf(elf: ElfFile, sectionIndex: number, value: number): number {
  if (sectionIndex === SHN_ABS || sectionIndex === SHN_UNDEF) return value % 0x1_0000_0000;
  const section: ElfSection | undefined = elf.sections[sectionIndex];
  if (section === undefined || section.type === SHT_NOBITS || value + 4 > section.size) return value % 0x1_0000_0000;
  return elf.u32(elf.source.read(section.offset + value, 4), 0);
}

/**
 * What the module needs: its undefined symbols in the order of .symtab, then the names of its versions that are not among them.
 * Source: kmod libkmod-elf.c, kmod_elf_get_dependency_symbols.
 */
export function neededSymbols(elf: ElfFile): NeededSymbol[] {
  const versions = new Map(modversions(elf).map(({ name, crc }) => [name, crc]));
  const needed: NeededSymbol[] = [];
  for (const { name: written, sectionIndex, binding } of symbolTable(elf)) {
    if (sectionIndex !== SHN_UNDEF) continue;
    const name = written.startsWith('.') ? written.slice(1) : written;
    needed.push({ name, crc: versions.get(name) ?? 0, isWeak: binding === STB_WEAK });
    versions.delete(name);
  }
  for (const [name, crc] of versions) needed.push({ name, crc, isWeak: false });
  return needed;
}
