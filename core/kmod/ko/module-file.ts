import { type ByteSource, FileSource, memorySource } from './byte-source.ts';
import { type Compression, type Decompressors, unpack } from './compression.ts';
import { ElfFile } from './elf.ts';
import { type Modinfo, readModinfo } from './modinfo.ts';
import { type ModuleSignature, readSignature } from './signature.ts';
import { modversions, type VersionedSymbol } from './modversions.ts';
import { exportedSymbols, type NeededSymbol, neededSymbols } from './symbols.ts';

/**
 * One module file: .ko, or one packed with gzip, xz or zstd, told by its first bytes. What is asked for is read then, and of an
 * unpacked file nothing else. Every method throws {UsherdError} MODULE_FILE_DAMAGED where the file makes no sense.
 */
export class ModuleFile implements Disposable {
  readonly file: string;
  readonly compression: Compression;
  readonly #close: () => void;
  readonly #source: ByteSource;
  #elf: ElfFile | undefined;

  private constructor(file: string, source: ByteSource, compression: Compression, close: () => void) {
    this.file = file;
    this.compression = compression;
    this.#source = source;
    this.#close = close;
  }

  /** @throws {UsherdError} FILE_UNREADABLE, MODULE_FILE_TOO_LARGE, MODULE_FILE_DAMAGED, COMPRESSION_UNAVAILABLE */
  static open(file: string, unpackers: Decompressors): ModuleFile {
    const packed = new FileSource(file);
    try {
      const { source, compression } = unpack(packed, unpackers);
      if (compression === 'none') return new ModuleFile(file, source, compression, () => packed.close());
      packed.close();
      return new ModuleFile(file, source, compression, () => {});
    } catch (error) {
      packed.close();
      throw error;
    }
  }

  /** The same for a file that is in memory. */
  static fromBytes(bytes: Buffer, file: string, unpackers: Decompressors): ModuleFile {
    const { source, compression } = unpack(memorySource(bytes, file), unpackers);
    return new ModuleFile(file, source, compression, () => {});
  }

  get elf(): ElfFile {
    return (this.#elf ??= new ElfFile(this.#source));
  }

  /** What the module says of itself; nothing when it has no .modinfo. */
  modinfo(): Modinfo {
    const section = this.elf.section('.modinfo');
    return readModinfo(section === undefined ? Buffer.alloc(0) : this.elf.bytes(section));
  }

  exportedSymbols(): VersionedSymbol[] {
    return exportedSymbols(this.elf);
  }

  neededSymbols(): NeededSymbol[] {
    return neededSymbols(this.elf);
  }

  modversions(): VersionedSymbol[] {
    return modversions(this.elf);
  }

  signature(): ModuleSignature | undefined {
    return readSignature(this.#source);
  }

  /** The whole module, unpacked, as init_module(2) wants it. */
  bytes(): Buffer {
    return this.#source.read(0, this.#source.size);
  }

  close(): void {
    this.#close();
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
