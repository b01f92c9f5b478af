/**
 * Makes module files: relocatable ELF with .modinfo, symbols and versions, as the kernel's build would leave them, but without
 * any code. depmod and modinfo of kmod read them like real ones.
 */

/** What the module is to say. */
export interface KoSpec {
  /** `['license', 'GPL']`, in order. */
  readonly modinfo?: readonly (readonly [key: string, value: string])[];
  /** Exported symbols with their checksums. */
  readonly exports?: readonly (readonly [name: string, crc: number])[];
  /** Undefined symbols; `weak` ones may be missing. */
  readonly needs?: readonly (string | { readonly weak: string })[];
  /** Entries of __versions. */
  readonly versions?: readonly (readonly [name: string, crc: number])[];
  /** Entries of __version_ext_crcs and __version_ext_names; the sections are left out where there are none. */
  readonly extendedVersions?: readonly (readonly [name: string, crc: number])[];
  /** Bytes of .note.gnu.build-id behind its header; the section is left out where there is none. */
  readonly buildId?: Buffer;
  /** Export without __crc_ symbols, as a kernel without CONFIG_MODVERSIONS does. */
  readonly withoutCrcs?: boolean;
  readonly bits?: 32 | 64;
  readonly endian?: 'little' | 'big';
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly bytes: Buffer;
  readonly link?: number;
  readonly info?: number;
  readonly entrySize?: number;
}

const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOTE = 7;
const SHN_ABS = 0xfff1;

/** A module's description → the bytes of its .ko. */
export function writeKo(spec: KoSpec): Buffer {
  const form = new Form(spec.bits ?? 64, spec.endian ?? 'little');
  const strings = new Strings();
  const symbols: Buffer[] = [form.symbol(0, 0, 0, 0)];
  for (const need of spec.needs ?? []) {
    const isWeak = typeof need !== 'string';
    symbols.push(form.symbol(strings.add(isWeak ? need.weak : need), isWeak ? 2 : 1, 0, 0));
  }
  for (const [name, crc] of spec.exports ?? []) {
    symbols.push(form.symbol(strings.add(name), 1, 1, 0));
    if (!spec.withoutCrcs) symbols.push(form.symbol(strings.add(`__crc_${name}`), 1, SHN_ABS, crc));
  }
  const sections: Section[] = [
    { name: '.modinfo', type: SHT_PROGBITS, bytes: modinfoBytes(spec.modinfo ?? []) },
    {
      name: '__ksymtab_strings',
      type: SHT_PROGBITS,
      bytes: Buffer.from((spec.exports ?? []).map(([name]) => `${name}\0`).join(''), 'utf8'),
    },
    {
      name: '__versions',
      type: SHT_PROGBITS,
      bytes: Buffer.concat((spec.versions ?? []).map(([name, crc]) => form.version(name, crc))),
    },
    { name: '.symtab', type: SHT_SYMTAB, bytes: Buffer.concat(symbols), link: 5, info: 1, entrySize: form.symbolBytes },
    { name: '.strtab', type: SHT_STRTAB, bytes: strings.bytes() },
    ...(spec.buildId === undefined ? [] : [buildIdSection(spec.buildId, form)]),
    ...extendedVersionSections(spec.extendedVersions ?? [], form),
  ];
  return form.file(sections);
}

function buildIdSection(id: Buffer, form: Form): Section {
  const header = Buffer.concat([form.u32(4), form.u32(id.length), form.u32(3)]);
  return { name: '.note.gnu.build-id', type: SHT_NOTE, bytes: Buffer.concat([header, Buffer.from('GNU\0'), id]) };
}

/** As modpost leaves them: the names are one text of C, with a NUL more at its end. */
function extendedVersionSections(versions: readonly (readonly [string, number])[], form: Form): Section[] {
  if (versions.length === 0) return [];
  const names = Buffer.from(`${versions.map(([name]) => `${name}\0`).join('')}\0`, 'utf8');
  return [
    { name: '__version_ext_crcs', type: SHT_PROGBITS, bytes: Buffer.concat(versions.map(([, crc]) => form.u32(crc))) },
    { name: '__version_ext_names', type: SHT_PROGBITS, bytes: names },
  ];
}

function modinfoBytes(pairs: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(pairs.map(([key, value]) => `${key}=${value}\0`).join(''), 'utf8');
}

/** Appends a signature block of the given type, as scripts/sign-file does. */
export function appendSignature(module: Buffer, signature: Buffer, idType = 2): Buffer {
  const info = Buffer.alloc(12);
  info[2] = idType;
  info.writeUInt32BE(signature.length, 8);
  return Buffer.concat([module, signature, info, Buffer.from('~Module signature appended~\n')]);
}

class Strings {
  #text = '\0';

  add(text: string): number {
    const at = Buffer.byteLength(this.#text);
    this.#text += `${text}\0`;
    return at;
  }

  bytes(): Buffer {
    return Buffer.from(this.#text, 'utf8');
  }
}

/** Layout of one class and byte order. */
class Form {
  readonly #is64: boolean;
  readonly #isLittle: boolean;

  constructor(bits: 32 | 64, endian: 'little' | 'big') {
    this.#is64 = bits === 64;
    this.#isLittle = endian === 'little';
  }

  get symbolBytes(): number {
    return this.#is64 ? 24 : 16;
  }

  symbol(name: number, binding: number, section: number, value: number): Buffer {
    const info = Buffer.from([binding << 4, 0]);
    return this.#is64
      ? Buffer.concat([this.u32(name), info, this.#u16(section), this.#word(value), this.#word(0)])
      : Buffer.concat([this.u32(name), this.u32(value), this.u32(0), info, this.#u16(section)]);
  }

  version(name: string, crc: number): Buffer {
    const bytes = Buffer.alloc(64);
    this.#word(crc).copy(bytes);
    bytes.write(name, this.#is64 ? 8 : 4, 'utf8');
    return bytes;
  }

  /** Header, sections, names of the sections, section table. */
  file(sections: readonly Section[]): Buffer {
    const names = new Strings();
    const nameOffsets = sections.map(({ name }) => names.add(name));
    const ownName = names.add('.shstrtab');
    const all: Section[] = [...sections, { name: '.shstrtab', type: SHT_STRTAB, bytes: names.bytes() }];
    const headerBytes = this.#is64 ? 64 : 52;
    const parts: Buffer[] = [];
    const rows: Buffer[] = [this.#row(0, 0, 0, 0)];
    let at = headerBytes;
    for (const [i, section] of all.entries()) {
      const padding = Buffer.alloc((8 - (at % 8)) % 8);
      at += padding.length;
      rows.push(this.#row(nameOffsets[i] ?? ownName, section.type, at, section.bytes.length, section));
      parts.push(padding, section.bytes);
      at += section.bytes.length;
    }
    const padding = Buffer.alloc((8 - (at % 8)) % 8);
    const header = this.#header(at + padding.length, rows.length);
    return Buffer.concat([header, ...parts, padding, ...rows]);
  }

  #header(tableOffset: number, count: number): Buffer {
    const ident = Buffer.alloc(16);
    ident.set([0x7f, 0x45, 0x4c, 0x46, this.#is64 ? 2 : 1, this.#isLittle ? 1 : 2, 1]);
    const machine = this.#is64 ? 62 : 3;
    return Buffer.concat([
      ident,
      this.#u16(1),
      this.#u16(machine),
      this.u32(1),
      this.#word(0),
      this.#word(0),
      this.#word(tableOffset),
      this.u32(0),
      this.#u16(this.#is64 ? 64 : 52),
      this.#u16(0),
      this.#u16(0),
      this.#u16(this.#is64 ? 64 : 40),
      this.#u16(count),
      this.#u16(count - 1),
    ]);
  }

  #row(name: number, type: number, offset: number, size: number, section?: Section): Buffer {
    return Buffer.concat([
      this.u32(name),
      this.u32(type),
      this.#word(0),
      this.#word(0),
      this.#word(offset),
      this.#word(size),
      this.u32(section?.link ?? 0),
      this.u32(section?.info ?? 0),
      this.#word(1),
      this.#word(section?.entrySize ?? 0),
    ]);
  }

  #u16(value: number): Buffer {
    const bytes = Buffer.alloc(2);
    if (this.#isLittle) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  }

  u32(value: number): Buffer {
    const bytes = Buffer.alloc(4);
    if (this.#isLittle) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  }

  #word(value: number): Buffer {
    if (!this.#is64) return this.u32(value);
    return this.#isLittle
      ? Buffer.concat([this.u32(value), Buffer.alloc(4)])
      : Buffer.concat([Buffer.alloc(4), this.u32(value)]);
  }
}
