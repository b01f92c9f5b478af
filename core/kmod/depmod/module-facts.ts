import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { type ByteSource, MODULE_FILE_MAX_BYTES } from '../ko/byte-source.ts';
import { type Decompressors, unpack } from '../ko/compression.ts';
import { damaged, ElfFile, SHN_UNDEF } from '../ko/elf.ts';
import { eachExtendedVersion, VERSION_BYTES } from '../ko/modversions.ts';
import { exportedSymbols, neededSymbols } from '../ko/symbols.ts';
import type { SymbolNames } from './symbol-names.ts';

/** What depmod wants of one module file. Symbols are numbers of a SymbolNames. */
export interface ModuleFacts {
  /** Values of the .modinfo strings of these keys, in file order, one character a byte. */
  readonly aliases: readonly string[];
  readonly softdeps: readonly string[];
  readonly weakdeps: readonly string[];
  readonly exports: Int32Array;
  /** Each is number × 2, + 1 for a weak one. */
  readonly needs: Int32Array;
  /** Checksums beside `exports` and `needs`, where they were asked for. */
  readonly exportCrcs?: Uint32Array;
  readonly needCrcs?: Uint32Array;
}

/** A file nothing can be said of: a module without anything. */
export const NO_FACTS: ModuleFacts = {
  aliases: [],
  softdeps: [],
  weakdeps: [],
  exports: new Int32Array(0),
  needs: new Int32Array(0),
};

/**
 * Reads the facts of one module file after another. The pieces of a file lie in one block that the next file uses again, and symbol
 * names go straight from there into the table, as a tree has some 200,000 of them.
 */
export class FactsReader {
  readonly #names: SymbolNames;
  readonly #unpackers: Decompressors;
  readonly #withCrcs: boolean;
  readonly #block = new Block();
  /** The file in which a symbol was last met as undefined. */
  #metIn = new Int32Array(1 << 16);
  #files = 0;
  #needs = new Int32Array(1 << 10);
  #exports = new Int32Array(1 << 10);
  #pool = new Int32Array(0);
  #pooled = 0;

  constructor(
    names: SymbolNames,
    unpackers: Decompressors,
    { withCrcs = false }: { readonly withCrcs?: boolean } = {},
  ) {
    this.#names = names;
    this.#unpackers = unpackers;
    this.#withCrcs = withCrcs;
  }

  /** @throws {UsherdError} what opening and reading a module file throws */
  read(file: string): ModuleFacts {
    using source = this.#block.open(file);
    return this.#readElf(new ElfFile(unpack(source, this.#unpackers).source));
  }

  /** The same of a file that another has unpacked. */
  readUnpacked(source: ByteSource): ModuleFacts {
    return this.#readElf(new ElfFile(source));
  }

  #readElf(elf: ElfFile): ModuleFacts {
    const modinfo = elf.section('.modinfo');
    const info = readInfo(modinfo === undefined ? Buffer.alloc(0) : elf.bytes(modinfo));
    return this.#withCrcs ? { ...info, ...this.#symbolsWithCrcs(elf) } : { ...info, ...this.#symbols(elf) };
  }

  #symbolsWithCrcs(elf: ElfFile): Omit<ModuleFacts, 'aliases' | 'softdeps' | 'weakdeps'> {
    const exported = exportedSymbols(elf);
    const needed = neededSymbols(elf);
    return {
      exports: Int32Array.from(exported, ({ name }) => this.#names.numberOf(name)),
      exportCrcs: Uint32Array.from(exported, ({ crc }) => crc),
      needs: Int32Array.from(needed, ({ name, isWeak }) => this.#names.numberOf(name) * 2 + Number(isWeak)),
      needCrcs: Uint32Array.from(needed, ({ crc }) => crc),
    };
  }

  /** The same as exportedSymbols and neededSymbols say, without a text for any of the names. */
  #symbols(elf: ElfFile): { exports: Int32Array; needs: Int32Array } {
    this.#files++;
    let exported = 0;
    let needed = 0;
    const need = (block: Uint8Array, at: number, limit: number, isWeak: boolean): void => {
      const number = this.#names.number(block, block[at] === DOT ? at + 1 : at, limit);
      if (this.#isMet(number)) return;
      if (needed === this.#needs.length) this.#needs = doubled(this.#needs);
      this.#needs[needed++] = number * 2 + Number(isWeak);
    };
    const table = elf.section('.symtab');
    const strtab = elf.section('.strtab');
    if (table !== undefined && strtab !== undefined) {
      const size = elf.is64 ? 24 : 16;
      if (table.size % size !== 0) {
        throw damaged(
          elf.source,
          table.offset,
          `has a symbol table of ${table.size} bytes, wanted a multiple of ${size}`,
        );
      }
      const symbols = elf.bytes(table);
      const names = elf.bytes(strtab);
      const sectionAt = elf.is64 ? 6 : 14;
      const bindingAt = elf.is64 ? 4 : 12;
      for (let at = size; at < symbols.length; at += size) {
        const section = (symbols[at + sectionAt] ?? 0) | (symbols[at + sectionAt + 1] ?? 0);
        const name = elf.isLittleEndian
          ? (symbols[at] ?? 0) |
            ((symbols[at + 1] ?? 0) << 8) |
            ((symbols[at + 2] ?? 0) << 16) |
            ((symbols[at + 3] ?? 0) << 24)
          : elf.u32(symbols, at);
        const first = names[name];
        if (first === undefined || first === 0) continue;
        if (section === SHN_UNDEF) need(names, name, names.length, (symbols[at + bindingAt] ?? 0) >> 4 === STB_WEAK);
        if (first !== UNDERSCORE || !startsWith(names, name, CRC_PREFIX)) continue;
        if (exported === this.#exports.length) this.#exports = doubled(this.#exports);
        this.#exports[exported++] = this.#names.number(names, name + CRC_PREFIX.length, names.length);
      }
    }
    const versions = elf.section('__versions');
    if (versions !== undefined) {
      const bytes = elf.bytes(versions);
      if (bytes.length % VERSION_BYTES !== 0) {
        throw damaged(
          elf.source,
          versions.offset,
          `has ${bytes.length} bytes of versions, wanted a multiple of ${VERSION_BYTES}`,
        );
      }
      const word = elf.is64 ? 8 : 4;
      for (let at = 0; at < bytes.length; at += VERSION_BYTES) need(bytes, at + word, at + VERSION_BYTES, false);
    }
    eachExtendedVersion(elf, (block, at, end) => need(block, at, end, false));
    const needs = this.#keep(this.#needs, needed);
    if (exported > 0) return { exports: this.#keep(this.#exports, exported), needs };
    const ksymtab = elf.section('__ksymtab_strings');
    const listed = ksymtab === undefined ? [] : exportedSymbols(elf);
    return { exports: Int32Array.from(listed, ({ name }) => this.#names.numberOf(name)), needs };
  }

  /** Copies numbers to where those of many files lie together: an array of its own for each file costs far more. */
  #keep(list: Int32Array, count: number): Int32Array {
    if (this.#pooled + count > this.#pool.length) {
      this.#pool = new Int32Array(Math.max(POOL_WORDS, count));
      this.#pooled = 0;
    }
    const kept = this.#pool.subarray(this.#pooled, this.#pooled + count);
    kept.set(list.subarray(0, count));
    this.#pooled += count;
    return kept;
  }

  /** Whether this file has asked for the symbol before; marks that it has. */
  #isMet(number: number): boolean {
    while (number >= this.#metIn.length) this.#metIn = doubled(this.#metIn);
    if (this.#metIn[number] === this.#files) return true;
    this.#metIn[number] = this.#files;
    return false;
  }
}

/** Strings of .modinfo depmod has use for, found without making a text of every other one. */
const KEYS = { aliases: latin1('alias='), softdeps: latin1('softdep='), weakdeps: latin1('weakdep=') } as const;

function readInfo(bytes: Buffer): Pick<ModuleFacts, keyof typeof KEYS> {
  const info = { aliases: [] as string[], softdeps: [] as string[], weakdeps: [] as string[] };
  for (let at = 0; at < bytes.length;) {
    const nul = bytes.indexOf(0, at);
    const end = nul < 0 ? bytes.length : nul;
    for (const key of ['aliases', 'softdeps', 'weakdeps'] as const) {
      const prefix = KEYS[key];
      if (startsWith(bytes, at, prefix)) info[key].push(bytes.toString('latin1', at + prefix.length, end));
    }
    at = end + 1;
  }
  return info;
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Size of one pool of symbol numbers. */
const POOL_WORDS = 1 << 16;

const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const STB_WEAK = 2;
const CRC_PREFIX = latin1('__crc_');

function doubled(list: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(list.length * 2);
  larger.set(list);
  return larger;
}

/**
 * Files up to this size, in bytes, are read whole: copying so much costs less than the seven reads it takes to pick the pieces out.
 */
const WHOLE_FILE_BYTES = 128 * 1024;

/** Memory for the pieces of one open file at a time. */
class Block {
  #bytes = Buffer.allocUnsafeSlow(1 << 20);

  open(file: string): ByteSource & Disposable {
    let used = 0;
    const fd = openSync(file, 'r');
    let size: number;
    try {
      ({ size } = fstatSync(fd));
      if (size > MODULE_FILE_MAX_BYTES) {
        throw new UsherdError(
          'MODULE_FILE_TOO_LARGE',
          `${file}: has ${size} bytes, a module has at most ${MODULE_FILE_MAX_BYTES}`,
          { file, size },
        );
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    const readPiece = (offset: number, length: number): Buffer => {
      // Pieces handed out before stay valid: they keep the block they lie in.
      if (used + length > this.#bytes.length) {
        this.#bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, length));
        used = 0;
      }
      const piece = this.#bytes.subarray(used, used + length);
      used += length;
      for (let done = 0; done < length;) {
        const count = readSync(fd, piece, done, length - done, offset + done);
        if (count === 0) throw damaged({ file }, offset + done, `wanted ${length} bytes, the file has become shorter`);
        done += count;
      }
      return piece;
    };
    let whole: Buffer | undefined;
    return {
      file,
      size,
      read: (offset, length) => {
        if (!Number.isSafeInteger(offset + length) || offset < 0 || length < 0 || length > size - offset) {
          throw damaged({ file }, offset, `wanted ${length} bytes, the file ends at ${size}`);
        }
        if (size > WHOLE_FILE_BYTES) return readPiece(offset, length);
        whole ??= readPiece(0, size);
        return whole.subarray(offset, offset + length);
      },
      [Symbol.dispose]: () => closeSync(fd),
    };
  }
}
