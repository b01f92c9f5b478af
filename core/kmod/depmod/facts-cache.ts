import { crc32 } from 'node:zlib';
import { statSync } from 'node:fs';
import path from 'node:path';
import { bytesOf, readCacheFile, writeCacheFile } from '../cache-file.ts';
import type { ByteSource } from '../ko/byte-source.ts';
import type { Decompressors } from '../ko/compression.ts';
import { type FactSections, type KeptFacts, packFacts, unpackFacts } from './kept-facts.ts';
import { FactsReader, type ModuleFacts } from './module-facts.ts';
import type { FactsSource } from './read-facts.ts';
import type { ScannedModule } from './scan-tree.ts';
import { SymbolNames } from './symbol-names.ts';

/** Raised whenever the sections change their meaning. */
const VERSION = 3;
/** How many numbers tell one state of a file from another. */
const STATE_NUMBERS = 4;

/** The cache file of a release's folder. */
export function factsCacheFile(dir: string, tree: string): string {
  return path.join(
    dir,
    `${path.basename(tree)}-facts-${crc32(path.resolve(tree)).toString(16).padStart(8, '0')}.cache`,
  );
}

/** A file that was asked about in this run. */
interface SeenFile {
  /** Where it is kept, -1 for nowhere. */
  readonly place: number;
  readonly state: readonly number[];
  facts: ModuleFacts | undefined;
}

/** All modules of an earlier run, in the order of the tree, and what each said. */
export interface KeptTree {
  readonly files: readonly string[];
  readonly facts: readonly KeptFacts[];
  /** What was made of it, as it was told to `save`. */
  readonly made: string;
}

const NOTHING: KeptTree = { files: [], facts: [], made: '' };

/**
 * Facts of module files kept from one run of depmod to the next, so that only files that have changed are read: those whose size,
 * times of data and of state, or inode are others than before. The sections of the cache are those of the names, of the facts, then
 * files (a NUL after each) | states (STATE_NUMBERS doubles each, in the same order) | what was made of it all.
 */
export class FactsCache implements FactsSource {
  readonly names: SymbolNames;
  /** What is kept from before. */
  readonly before: KeptTree;
  readonly #file: string;
  readonly #reader: FactsReader;
  readonly #sections: FactSections | undefined;
  readonly #states: Float64Array;
  /** Where each file kept is, made when files are asked for in another order. */
  #places: ReadonlyMap<string, number> | undefined;
  /** The place behind that of the file found last. */
  #next = 0;
  readonly #seen = new Map<string, SeenFile>();

  /** A cache that cannot be used is an empty one. */
  constructor(file: string, unpackers: Decompressors) {
    this.#file = file;
    const all = readCacheFile(file, { version: VERSION, key: '' }) ?? [];
    const [bytes, starts, slots, hashes, words, texts, counts, files, states, made] = all;
    const names = bytes && starts && slots && hashes && SymbolNames.of([bytes, starts, slots, hashes]);
    const sections: FactSections | undefined = words && texts && counts && [words, texts, counts];
    const facts = sections && unpackFacts(sections);
    const paths = files?.toString('utf8').split('\0').slice(0, -1) ?? [];
    if (
      names &&
      facts &&
      states &&
      made &&
      paths.length === facts.length &&
      states.length === facts.length * 8 * STATE_NUMBERS
    ) {
      this.names = names;
      this.before = { files: paths, facts, made: made.toString('utf8') };
      this.#sections = sections;
      this.#states = new Float64Array(states.buffer, states.byteOffset, states.length / 8);
    } else {
      this.names = new SymbolNames();
      this.before = NOTHING;
      this.#sections = undefined;
      this.#states = new Float64Array(0);
    }
    this.#reader = new FactsReader(this.names, unpackers);
  }

  /** How many of the files asked for so far had to be read. */
  filesRead = 0;

  isKept({ file }: ScannedModule): boolean {
    return this.#hasKeptState(this.#see(file));
  }

  /** Of a file that says what it said before, though it has another date, the very same facts as in `before`. */
  facts({ file }: ScannedModule, unpacked?: ByteSource): ModuleFacts {
    const seen = this.#see(file);
    const kept = this.before.facts[seen.place];
    if (kept !== undefined && this.#hasKeptState(seen)) return (seen.facts = kept);
    this.filesRead++;
    const read = unpacked === undefined ? this.#reader.read(file) : this.#reader.readUnpacked(unpacked);
    return (seen.facts = kept !== undefined && areEqual(kept, read) ? kept : read);
  }

  /**
   * Keeps what was asked for in this run, and nothing else, in the order of the tree; `made` says what was made of it, empty for nothing that
   * is to be taken for made. False when it could not be written.
   */
  save(modules: readonly ScannedModule[], made: string): boolean {
    const { before } = this;
    const files: string[] = [];
    const facts: ModuleFacts[] = [];
    const states = new Float64Array(modules.length * STATE_NUMBERS);
    for (const { file } of modules) {
      const seen = this.#seen.get(file);
      if (seen?.facts === undefined) continue;
      states.set(seen.state, files.length * STATE_NUMBERS);
      files.push(file);
      facts.push(seen.facts);
    }
    const kept = bytesOf(states.subarray(0, files.length * STATE_NUMBERS));
    const isSame = files.length === before.files.length && facts.every((each, i) => each === before.facts[i]);
    if (isSame && made === before.made && kept.equals(bytesOf(this.#states))) return true;
    return writeCacheFile(this.#file, { version: VERSION, key: '' }, [
      ...this.names.parts,
      ...((isSame ? this.#sections : undefined) ?? packFacts(facts)),
      Buffer.from(files.map(file => `${file}\0`).join(''), 'utf8'),
      kept,
      Buffer.from(made, 'utf8'),
    ]);
  }

  /** The file's state is asked for once: whoever reads it later reads what has this state or a later one. */
  #see(file: string): SeenFile {
    let seen = this.#seen.get(file);
    if (seen === undefined) {
      seen = { place: this.#placeOf(file), state: stateOf(file), facts: undefined };
      this.#seen.set(file, seen);
    }
    return seen;
  }

  /** Where a file is kept, -1 for nowhere. Most are asked for in the order they are kept in. */
  #placeOf(file: string): number {
    const { files } = this.before;
    if (files[this.#next] !== file) {
      this.#places ??= new Map(files.map((each, i) => [each, i]));
      const place = this.#places.get(file);
      if (place === undefined) return -1;
      this.#next = place;
    }
    return this.#next++;
  }

  #hasKeptState({ place, state }: SeenFile): boolean {
    return place >= 0 && state.every((number, i) => number === this.#states[place * STATE_NUMBERS + i]);
  }
}

function areEqual(a: ModuleFacts, b: ModuleFacts): boolean {
  return (
    bytesOf(a.exports).equals(bytesOf(b.exports)) &&
    bytesOf(a.needs).equals(bytesOf(b.needs)) &&
    sameTexts(a.aliases, b.aliases) &&
    sameTexts(a.softdeps, b.softdeps) &&
    sameTexts(a.weakdeps, b.weakdeps)
  );
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}

/**
 * What tells one state of a file from another: size, times of data and of its inode in ms, inode.
 * @throws an error of the system when the file is not there
 */
export function stateOf(file: string): readonly number[] {
  const { size, mtimeMs, ctimeMs, ino } = statSync(file);
  return [size, mtimeMs, ctimeMs, ino];
}
