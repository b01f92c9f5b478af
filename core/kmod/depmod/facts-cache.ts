import { crc32 } from 'node:zlib';
import { statSync } from 'node:fs';
import path from 'node:path';
import { bytesOf, readCacheFile, wordsOf, writeCacheFile } from '../cache-file.ts';
import type { ByteSource } from '../ko/byte-source.ts';
import type { Decompressors } from '../ko/compression.ts';
import { FactsReader, type ModuleFacts } from './module-facts.ts';
import type { FactsSource } from './read-facts.ts';
import type { ScannedModule } from './scan-tree.ts';
import { SymbolNames } from './symbol-names.ts';

/** Raised whenever the sections change their meaning. */
const VERSION = 2;

/** The cache file of a release's folder. */
export function factsCacheFile(dir: string, tree: string): string {
  return path.join(
    dir,
    `${path.basename(tree)}-facts-${crc32(path.resolve(tree)).toString(16).padStart(8, '0')}.cache`,
  );
}

/** What is kept of one file beside its symbols and its state: its strings. */
type KeptFile = readonly [
  file: string,
  exports: number,
  needs: number,
  aliases: readonly string[],
  softdeps: readonly string[],
  weakdeps: readonly string[],
];

/**
 * Facts of module files kept from one run of depmod to the next, so that only files that have changed are read: those whose size,
 * times of data and of state, or inode are others than before. The sections of the cache are
 * names (a NUL after each) | words: exports then needs of each file in turn | JSON of KeptFile[] | JSON of the states, in the same order |
 * what was made of it all. Files in the order of the tree.
 */
export class FactsCache implements FactsSource {
  readonly names = new SymbolNames();
  readonly #file: string;
  readonly #reader: FactsReader;
  readonly #kept = new Map<string, { readonly state: string; readonly facts: ModuleFacts }>();
  readonly #used = new Map<string, { readonly state: string; readonly facts: ModuleFacts }>();
  /** States of files that were asked about before they were read. */
  readonly #asked = new Map<string, string>();
  /** The sections as they were read, but for states and what was made of them. */
  #sections: readonly Buffer[] = [];
  #made = '';
  #statesDiffer = false;
  #factsDiffer = false;

  /** A cache that cannot be used is an empty one. */
  constructor(file: string, unpackers: Decompressors) {
    this.#file = file;
    const [names, words, files, states, made] = readCacheFile(file, { version: VERSION, key: '' }) ?? [];
    if (names && words && files && states && made) {
      this.#sections = [names, words, files];
      this.#made = made.toString('utf8');
      const kept = JSON.parse(files.toString('utf8')) as KeptFile[];
      this.#load(names, wordsOf(words), kept, JSON.parse(states.toString('utf8')) as string[]);
    }
    this.#reader = new FactsReader(this.names, unpackers);
  }

  /** How many of the files asked for so far had to be read. */
  filesRead = 0;

  isKept({ file }: ScannedModule): boolean {
    const state = stateOf(file);
    // Whoever reads the file now reads what has this state or a later one, so that is the state to keep it under.
    this.#asked.set(file, state);
    return this.#kept.get(file)?.state === state;
  }

  facts({ file }: ScannedModule, unpacked?: ByteSource): ModuleFacts {
    const state = this.#asked.get(file) ?? stateOf(file);
    const kept = this.#kept.get(file);
    if (kept?.state === state) {
      this.#used.set(file, kept);
      return kept.facts;
    }
    this.#statesDiffer = true;
    this.filesRead++;
    const facts = unpacked === undefined ? this.#reader.read(file) : this.#reader.readUnpacked(unpacked);
    if (kept === undefined || !areEqual(kept.facts, facts)) this.#factsDiffer = true;
    this.#used.set(file, { state, facts });
    return facts;
  }

  /**
   * Whether these modules, in this order, say of themselves what they said when `made` was made of them: then it would be made again just
   * as it is, though some file may have another date.
   */
  isMadeOf(modules: readonly ScannedModule[], made: string): boolean {
    return made !== '' && made === this.#made && this.#isSame(modules);
  }

  #isSame(modules: readonly ScannedModule[]): boolean {
    if (this.#factsDiffer || this.#used.size !== this.#kept.size || modules.length !== this.#kept.size) return false;
    let at = 0;
    for (const file of this.#kept.keys()) if (modules[at++]?.file !== file) return false;
    return true;
  }

  /**
   * Keeps what was asked for in this run, and nothing else, in the order of the tree; `made` says what was made of it, empty for nothing that
   * is to be taken for made. False when it could not be written.
   */
  save(modules: readonly ScannedModule[], made: string): boolean {
    const isSame = this.#isSame(modules);
    if (isSame && !this.#statesDiffer && made === this.#made) return true;
    const files = modules.flatMap(({ file }) => {
      const used = this.#used.get(file);
      return used === undefined ? [] : [{ file, ...used }];
    });
    const states = Buffer.from(JSON.stringify(files.map(({ state }) => state)), 'utf8');
    return writeCacheFile(this.#file, { version: VERSION, key: '' }, [
      ...(isSame ? this.#sections : this.#encode(files)),
      states,
      Buffer.from(made, 'utf8'),
    ]);
  }

  #encode(files: readonly { readonly file: string; readonly facts: ModuleFacts }[]): readonly Buffer[] {
    const words: Int32Array[] = [];
    const kept = files.map(({ file, facts }): KeptFile => {
      const { exports, needs, aliases, softdeps, weakdeps } = facts;
      words.push(exports, needs);
      return [file, exports.length, needs.length, aliases, softdeps, weakdeps];
    });
    const names = Array.from({ length: this.names.count }, (_, number) => `${this.names.text(number)}\0`).join('');
    return [Buffer.from(names, 'latin1'), Buffer.concat(words.map(bytesOf)), Buffer.from(JSON.stringify(kept), 'utf8')];
  }

  #load(names: Buffer, words: Int32Array, files: readonly KeptFile[], states: readonly string[]): void {
    for (let at = 0; at < names.length; at = names.indexOf(0, at) + 1) this.names.number(names, at, names.length);
    let at = 0;
    for (const [index, [file, exportCount, needCount, aliases, softdeps, weakdeps]] of files.entries()) {
      const exports = words.subarray(at, at + exportCount);
      const needs = words.subarray(at + exportCount, at + exportCount + needCount);
      at += exportCount + needCount;
      const state = states[index] ?? '';
      this.#kept.set(file, { state, facts: { exports, needs, aliases, softdeps, weakdeps } });
    }
  }
}

function areEqual(a: ModuleFacts, b: ModuleFacts): boolean {
  const texts = (one: readonly string[], other: readonly string[]): boolean =>
    one.length === other.length && one.every((text, at) => text === other[at]);
  return (
    bytesOf(a.exports).equals(bytesOf(b.exports)) &&
    bytesOf(a.needs).equals(bytesOf(b.needs)) &&
    texts(a.aliases, b.aliases) &&
    texts(a.softdeps, b.softdeps) &&
    texts(a.weakdeps, b.weakdeps)
  );
}

/** @throws an error of the system when the file is not there */
export function stateOf(file: string): string {
  const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true });
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}
