import { readFileSync, statSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { IndexEntry } from '../index/index-format.ts';
import { IndexReader } from '../index/index-reader.ts';
import { isIndexKey, writeIndex } from '../index/index-writer.ts';
import type { MapFile } from '../maps/text-lines.ts';
import { FileInPieces } from './file-in-pieces.ts';

/** Largest of depmod's files read, in bytes; a distribution's largest has under 2 MB. */
export const MAP_FILE_MAX_BYTES = 256 * 1024 * 1024;

/** One of depmod's tables, from its .bin file or from its text: the same questions, the same answers. */
export interface IndexSource {
  readonly file: string;
  /** The first value of exactly this key. */
  search(key: string): string | undefined;
  /** Every value whose key, as a pattern, matches. */
  searchWild(query: string): readonly IndexEntry[];
  /** Every pair. */
  entries(): readonly IndexEntry[];
  /** Has all of it there, for who will ask often and must not find another file in its place. */
  readAll(): void;
}

/**
 * Opens a table: the .bin file if it is there and sound, else the text. An index that turns out to be damaged while it is read is
 * named as a problem and the text takes over. Without either, the table is empty.
 */
export function openIndexSource({
  binary,
  text,
  read,
  problems,
}: {
  readonly binary: string;
  /** The text file; undefined where depmod writes none. */
  readonly text: string | undefined;
  /** The text → pairs as the index has them. */
  readonly read: (text: string, file: string) => MapFile<IndexEntry>;
  readonly problems: Problem[];
}): IndexSource {
  const openText = (): IndexSource => {
    const content = text === undefined ? undefined : readMapFile(text, problems);
    if (text === undefined || content === undefined) return indexOf([], text ?? binary);
    const parsed = read(content.toString('latin1'), text);
    problems.push(...parsed.problems);
    return indexOf(parsed.entries, text);
  };
  const index = readable(binary, problems, file => new FileInPieces(file));
  if (index === undefined) return openText();
  try {
    // depmod leaves a file of no bytes where it had nothing to read; that is an empty table, not a damaged one.
    if (index.bytes.length === 0) return openText();
    return new GuardedSource(new IndexReader(index, binary), index, openText, problems);
  } catch (error) {
    reportDamage(error, binary, problems);
    return openText();
  } finally {
    index.close();
  }
}

/** An index in place until it proves damaged, then what `instead` opens. */
class GuardedSource implements IndexSource {
  readonly #instead: () => IndexSource;
  readonly #problems: Problem[];
  readonly #index: FileInPieces;
  #source: IndexSource;

  constructor(source: IndexSource, index: FileInPieces, instead: () => IndexSource, problems: Problem[]) {
    this.#source = source;
    this.#index = index;
    this.#instead = instead;
    this.#problems = problems;
  }

  get file(): string {
    return this.#source.file;
  }

  search(key: string): string | undefined {
    return this.#ask(source => source.search(key));
  }

  searchWild(query: string): readonly IndexEntry[] {
    return this.#ask(source => source.searchWild(query));
  }

  entries(): readonly IndexEntry[] {
    return this.#ask(source => source.entries());
  }

  readAll(): void {
    this.#ask(source => source.readAll());
  }

  #ask<Answer>(question: (source: IndexSource) => Answer): Answer {
    try {
      return question(this.#source);
    } catch (error) {
      reportDamage(error, this.#source.file, this.#problems);
      this.#source = this.#instead();
      return question(this.#source);
    } finally {
      this.#index.close();
    }
  }
}

/** A file → its bytes; undefined, with a problem unless it is simply not there, when it cannot be read. */
export function readMapFile(file: string, problems: Problem[]): Buffer | undefined {
  return readable(file, problems, name => readFileSync(name));
}

/** What `read` makes of a file that is there and not too large. */
function readable<Read>(file: string, problems: Problem[], read: (file: string) => Read): Read | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.size <= MAP_FILE_MAX_BYTES) return read(file);
    problems.push({ place: { file }, message: `has ${stats.size} bytes, at most ${MAP_FILE_MAX_BYTES} are read` });
  } catch (error) {
    problems.push({ place: { file }, message: `cannot be read: ${(error as Error).message}` });
  }
  return undefined;
}

function reportDamage(error: unknown, file: string, problems: Problem[]): void {
  if (!(error instanceof UsherdError)) throw error;
  problems.push({ place: { file }, message: `${error.message}; its text is read instead` });
}

/** Pairs of a text file as the very index depmod would have made of them, so that both are searched by one piece of code. */
function indexOf(entries: readonly IndexEntry[], file: string): IndexSource {
  return new IndexReader(writeIndex(entries.filter(({ key }) => isIndexKey(key))), file);
}
