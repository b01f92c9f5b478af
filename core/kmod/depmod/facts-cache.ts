import { statSync } from 'node:fs';
import path from 'node:path';
import { zlib } from '../lazy-zlib.ts';
import { bytesOf, readCacheFile, wordsOf, writeCacheFile } from '../cache-file.ts';
import type { ByteSource } from '../ko/byte-source.ts';
import type { Decompressors } from '../ko/compression.ts';
import { FactsReader, type ModuleFacts } from './module-facts.ts';
import type { FactsSource } from './read-facts.ts';
import type { ScannedModule } from './scan-tree.ts';
import { SymbolNames } from './symbol-names.ts';

/** Raised whenever the sections change their meaning. */
const VERSION = 1;

/** The cache file of a release's folder. */
export function factsCacheFile(dir: string, tree: string): string {
  return path.join(
    dir,
    `${path.basename(tree)}-facts-${zlib().crc32(path.resolve(tree)).toString(16).padStart(8, '0')}.cache`,
  );
}

/** What is kept of one file beside its symbols: what it was when it was read, and its strings. */
type KeptFile = readonly [
  file: string,
  state: string,
  exports: number,
  needs: number,
  aliases: readonly string[],
  softdeps: readonly string[],
  weakdeps: readonly string[],
];

/**
 * Facts of module files kept from one run of depmod to the next, so that only files that have changed are read: those whose size,
 * times of data and of state, or inode are others than before. The sections of the cache are
 * names (a NUL after each) | words: exports then needs of each file in turn | JSON of KeptFile[].
 */
export class FactsCache implements FactsSource {
  readonly names = new SymbolNames();
  readonly #file: string;
  readonly #reader: FactsReader;
  readonly #kept = new Map<string, { readonly state: string; readonly facts: ModuleFacts }>();
  readonly #used = new Map<string, { readonly state: string; readonly facts: ModuleFacts }>();
  /** States of files that were asked about before they were read. */
  readonly #asked = new Map<string, string>();
  #isChanged = false;

  /** A cache that cannot be used is an empty one. */
  constructor(file: string, unpackers: Decompressors) {
    this.#file = file;
    const [names, words, files] = readCacheFile(file, { version: VERSION, key: '' }) ?? [];
    if (names && words && files) this.#load(names, wordsOf(words), JSON.parse(files.toString('utf8')) as KeptFile[]);
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
    this.#isChanged = true;
    this.filesRead++;
    const facts = unpacked === undefined ? this.#reader.read(file) : this.#reader.readUnpacked(unpacked);
    this.#used.set(file, { state, facts });
    return facts;
  }

  /** Keeps what was asked for in this run, and nothing else. False when it could not be written. */
  save(): boolean {
    if (!this.#isChanged && this.#used.size === this.#kept.size) return true;
    const files: KeptFile[] = [];
    const words: Int32Array[] = [];
    for (const [file, { state, facts }] of this.#used) {
      const { exports, needs, aliases, softdeps, weakdeps } = facts;
      files.push([file, state, exports.length, needs.length, aliases, softdeps, weakdeps]);
      words.push(exports, needs);
    }
    const names = Array.from({ length: this.names.count }, (_, number) => `${this.names.text(number)}\0`).join('');
    return writeCacheFile(this.#file, { version: VERSION, key: '' }, [
      Buffer.from(names, 'latin1'),
      Buffer.concat(words.map(bytesOf)),
      Buffer.from(JSON.stringify(files), 'utf8'),
    ]);
  }

  #load(names: Buffer, words: Int32Array, files: readonly KeptFile[]): void {
    for (let at = 0; at < names.length; at = names.indexOf(0, at) + 1) this.names.number(names, at, names.length);
    let at = 0;
    for (const [file, state, exportCount, needCount, aliases, softdeps, weakdeps] of files) {
      const exports = words.subarray(at, at + exportCount);
      const needs = words.subarray(at + exportCount, at + exportCount + needCount);
      at += exportCount + needCount;
      this.#kept.set(file, { state, facts: { exports, needs, aliases, softdeps, weakdeps } });
    }
  }
}

/** @throws an error of the system when the file is not there */
function stateOf(file: string): string {
  const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true });
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}
