import { damaged, textAt, type ElfFile } from './elf.ts';

/** A symbol with the checksum of its type (CONFIG_MODVERSIONS); 0 where the module has none. */
export interface VersionedSymbol {
  readonly name: string;
  readonly crc: number;
}

/** Bytes of one entry of __versions: a word with the checksum, and a name. */
export const VERSION_BYTES = 64;

/**
 * Checksums the module was built against: the entries of section __versions, and of the extended table those that are not among them.
 * A leading dot of a name (PowerPC) is dropped. Source: include/linux/module.h, struct modversion_info.
 * @throws {UsherdError} MODULE_FILE_DAMAGED
 */
export function modversions(elf: ElfFile): VersionedSymbol[] {
  const versions = basicVersions(elf);
  const names = new Set(versions.map(({ name }) => name));
  eachExtendedVersion(elf, (block, at, end, crc) => {
    const name = withoutDot(block.toString('latin1', at, end));
    if (!names.has(name)) versions.push({ name, crc });
  });
  return versions;
}

function basicVersions(elf: ElfFile): VersionedSymbol[] {
  const section = elf.section('__versions');
  if (section === undefined) return [];
  const bytes = elf.bytes(section);
  const wordSize = elf.is64 ? 8 : 4;
  if (bytes.length % VERSION_BYTES !== 0) {
    throw damaged(
      elf.source,
      section.offset,
      `has ${bytes.length} bytes of versions, wanted a multiple of ${VERSION_BYTES}`,
    );
  }
  const versions: VersionedSymbol[] = [];
  for (let at = 0; at < bytes.length; at += VERSION_BYTES) {
    const name = textAt(bytes.subarray(at + wordSize, at + VERSION_BYTES), 0);
    versions.push({
      name: withoutDot(name),
      crc: elf.u32(bytes, elf.isLittleEndian || !elf.is64 ? at : at + 4),
    });
  }
  return versions;
}

function withoutDot(name: string): string {
  return name.startsWith('.') ? name.slice(1) : name;
}

/**
 * Tells of each symbol of the extended table, which takes names of any length: section __version_ext_crcs has checksums of 32 bits,
 * __version_ext_names as many names with a NUL behind each, and what stands behind those is nothing. Either both are there or neither.
 * Source: kernel/module/main.c, elf_validity_cache_index_versions (CONFIG_EXTENDED_MODVERSIONS, Linux 6.14).
 * @param tell is given a block of bytes, where in it a name begins and ends, and its checksum
 * @throws {UsherdError} MODULE_FILE_DAMAGED
 */
export function eachExtendedVersion(
  elf: ElfFile,
  tell: (block: Buffer, at: number, end: number, crc: number) => void,
): void {
  const crcSection = elf.section('__version_ext_crcs');
  const nameSection = elf.section('__version_ext_names');
  const section = crcSection ?? nameSection;
  if (section === undefined) return;
  if (crcSection === undefined || nameSection === undefined) {
    const [has, lacks] = crcSection === undefined ? ['names', 'checksums'] : ['checksums', 'names'];
    throw damaged(elf.source, section.offset, `has extended versions with ${has} and without ${lacks}`);
  }
  const crcs = elf.bytes(crcSection);
  const names = elf.bytes(nameSection);
  let at = 0;
  for (let crcAt = 0; crcAt + 4 <= crcs.length; crcAt += 4) {
    const end = names.indexOf(0, at);
    if (end < 0) {
      const wanted = Math.floor(crcs.length / 4);
      throw damaged(
        elf.source,
        nameSection.offset + at,
        `has ${crcAt / 4} names of extended versions, wanted ${wanted}, one for each checksum`,
      );
    }
    tell(names, at, end, elf.u32(crcs, crcAt));
    at = end + 1;
  }
}
