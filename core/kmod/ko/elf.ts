import { UsherdError } from '../../errors.ts';
import type { ByteSource } from './byte-source.ts';

/** One section of an ELF file. Offsets and sizes are in bytes. */
export interface ElfSection {
  readonly name: string;
  /** SHT_…: 2 symbol table, 3 strings, 8 no bytes in the file. */
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  /** Number of another section, where the type has use for one: a symbol table's strings. */
  readonly link: number;
  /** Offset of the section's own entry in the section table. */
  readonly headerOffset: number;
}

export const SHT_SYMTAB = 2;
export const SHT_NOBITS = 8;
export const SHN_UNDEF = 0;
export const SHN_ABS = 0xfff1;

const IDENT = Buffer.from('7f454c46', 'hex');

/**
 * The section table of an ELF file, 32 or 64 bits, either byte order.
 *
 * ```
 * e_ident  7f 'E' 'L' 'F' | class 1: 32, 2: 64 bits | data 1: little, 2: big endian | …to byte 16
 * 64 bits  0x10 u16 type | 0x12 u16 machine | 0x28 u64 section table | 0x3a u16 entry size | u16 count | u16 names
 * 32 bits  0x10 u16 type | 0x12 u16 machine | 0x20 u32 section table | 0x2e u16 entry size | u16 count | u16 names
 * section  u32 name | u32 type | flags | address | offset | size | u32 link | …   (words of the class)
 * ```
 * Source: elf(5). Every offset is checked against the file when it is followed.
 */
export class ElfFile {
  readonly source: ByteSource;
  readonly is64: boolean;
  readonly isLittleEndian: boolean;
  readonly machine: number;
  readonly sections: readonly ElfSection[];
  readonly #byName = new Map<string, ElfSection>();

  /** @throws {UsherdError} MODULE_FILE_DAMAGED */
  constructor(source: ByteSource) {
    this.source = source;
    const head = source.read(0, Math.min(64, source.size));
    if (head.length < 52 || !head.subarray(0, 4).equals(IDENT)) throw damaged(source, 0, 'is not an ELF file');
    const elfClass = head[4];
    const data = head[5];
    if (elfClass !== 1 && elfClass !== 2) throw damaged(source, 4, `has the ELF class ${elfClass}, wanted 1 or 2`);
    if (data !== 1 && data !== 2) throw damaged(source, 5, `has the byte order ${data}, wanted 1 or 2`);
    this.is64 = elfClass === 2;
    this.isLittleEndian = data === 1;
    if (this.is64 && head.length < 64) throw damaged(source, head.length, 'ends within its ELF header');
    this.machine = this.u16(head, 0x12);
    const tableOffset = this.word(head, this.is64 ? 0x28 : 0x20);
    const tail = this.is64 ? 0x3a : 0x2e;
    const entrySize = this.u16(head, tail);
    const count = this.u16(head, tail + 2);
    const namesIndex = this.u16(head, tail + 4);
    const wantedSize = this.is64 ? 64 : 40;
    if (entrySize !== wantedSize) {
      throw damaged(source, tail, `has section entries of ${entrySize} bytes, wanted ${wantedSize}`);
    }
    if (namesIndex >= count) throw damaged(source, tail + 4, `names its sections in section ${namesIndex} of ${count}`);
    const table = source.read(tableOffset, count * entrySize);
    const rows = Array.from({ length: count }, (_, i) => this.#row(table, i * entrySize, tableOffset));
    const names = rows[namesIndex];
    const nameBytes = names === undefined ? Buffer.alloc(0) : this.bytes(names);
    this.sections = rows.map(({ nameOffset, ...row }) => ({ ...row, name: textAt(nameBytes, nameOffset) }));
    // The first of a name counts, as in libkmod.
    for (const section of this.sections) if (!this.#byName.has(section.name)) this.#byName.set(section.name, section);
  }

  section(name: string): ElfSection | undefined {
    return this.#byName.get(name);
  }

  /** A section's bytes; none for one that takes no room in the file. @throws {UsherdError} MODULE_FILE_DAMAGED */
  bytes(section: Pick<ElfSection, 'type' | 'offset' | 'size'>): Buffer {
    return section.type === SHT_NOBITS ? Buffer.alloc(0) : this.source.read(section.offset, section.size);
  }

  u16(bytes: Buffer, at: number): number {
    return this.isLittleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  u32(bytes: Buffer, at: number): number {
    return this.isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  /** A word of the file's class; one beyond 2^53 is beyond any file, and comes back as such. */
  word(bytes: Buffer, at: number): number {
    if (!this.is64) return this.u32(bytes, at);
    return this.isLittleEndian
      ? bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000
      : bytes.readUInt32BE(at + 4) + bytes.readUInt32BE(at) * 0x1_0000_0000;
  }

  #row(table: Buffer, at: number, tableOffset: number): Omit<ElfSection, 'name'> & { nameOffset: number } {
    const step = this.is64 ? 8 : 4;
    return {
      nameOffset: this.u32(table, at),
      type: this.u32(table, at + 4),
      flags: this.word(table, at + 8),
      offset: this.word(table, at + 8 + 2 * step),
      size: this.word(table, at + 8 + 3 * step),
      link: this.u32(table, at + 8 + 4 * step),
      headerOffset: tableOffset + at,
    };
  }
}

/** The text that begins at this offset and ends at a NUL, or at the end; empty when it begins past the end. */
export function textAt(bytes: Buffer, offset: number): string {
  if (offset >= bytes.length) return '';
  const end = bytes.indexOf(0, offset);
  return bytes.toString('latin1', offset, end < 0 ? bytes.length : end);
}

/** The error for a file that makes no sense at an offset. */
export function damaged(source: Pick<ByteSource, 'file'>, offsetBytes: number, what: string): UsherdError {
  return new UsherdError('MODULE_FILE_DAMAGED', `${source.file}+0x${offsetBytes.toString(16)}: ${what}`, {
    file: source.file,
    offsetBytes,
  });
}
