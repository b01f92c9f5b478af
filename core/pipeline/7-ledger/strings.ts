import type { Place } from '../../vocabulary/place.ts';
import type { Connection } from './database.ts';

/** Texts whose ids are kept at hand; some 10 MB at most. When full it is emptied, and the next look-ups ask the file again. */
const KNOWN_MAX_TEXTS = 65_536;
/** Values of events, to see which come again; small, since a value that comes again does so soon. */
const SEEN_MAX_VALUES = 8_192;
/** A text shorter than this is smaller in its row than as a row of its own. */
const WORTH_INTERNING_CHARS = 12;

/**
 * The writer's side of the tables `str` and `place`: text → id, made when it is new. Use only inside a transaction, and call
 * `forget` when that was rolled back, since ids given in it are void.
 */
export class Strings {
  readonly #known = new Map<string, number>();
  readonly #places = new Map<string, number>();
  /** 0: seen once, and written in its row. */
  readonly #seen = new Map<string, number>();
  readonly #select;
  readonly #insert;
  readonly #insertPlace;

  constructor(db: Connection) {
    this.#select = db.prepare<[string], number>('SELECT id FROM str WHERE text = ?').pluck();
    this.#insert = db.prepare<[string]>('INSERT INTO str (text) VALUES (?)');
    this.#insertPlace = db.prepare('INSERT INTO place (file, line, col, offset_bytes) VALUES (?, ?, ?, ?)');
  }

  /** Text → its id. */
  intern(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const id = this.#select.get(text) ?? Number(this.#insert.run(text).lastInsertRowid);
    if (this.#known.size >= KNOWN_MAX_TEXTS) this.#known.clear();
    this.#known.set(text, id);
    return id;
  }

  /** As intern; null for an absent text. */
  internOptional(text: string | undefined): number | null {
    return text === undefined ? null : this.intern(text);
  }

  /** A text that may be unique (a counter, a serial number) → itself the first time, its id when it comes again. */
  internRepeated(text: string): number | string {
    if (text.length < WORTH_INTERNING_CHARS) return text;
    const seen = this.#seen.get(text);
    if (seen !== undefined && seen !== 0) return seen;
    if (this.#seen.size >= SEEN_MAX_VALUES) this.#seen.clear();
    const id = seen === undefined ? 0 : this.intern(text);
    this.#seen.set(text, id);
    return id === 0 ? text : id;
  }

  /** A place → its id. The same place may have several ids, one per start of the writer: an index for it would not pay. */
  internPlace({ file, line, column, offsetBytes }: Place): number {
    const key = `${line ?? ''}:${column ?? ''}:${offsetBytes ?? ''}:${file}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const row = this.#insertPlace.run(this.intern(file), line ?? null, column ?? null, offsetBytes ?? null);
    const id = Number(row.lastInsertRowid);
    if (this.#places.size >= SEEN_MAX_VALUES) this.#places.clear();
    this.#places.set(key, id);
    return id;
  }

  forget(): void {
    this.#known.clear();
    this.#places.clear();
    this.#seen.clear();
  }
}
