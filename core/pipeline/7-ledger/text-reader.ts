import type { Place } from '../../vocabulary/place.ts';
import type { Connection } from './database.ts';

/** Texts kept at hand while reading; some 10 MB at most. */
const KNOWN_MAX_TEXTS = 65_536;

interface PlaceRow {
  readonly file: number;
  readonly line: number | null;
  readonly col: number | null;
  readonly offset_bytes: number | null;
}

/** The reader's side of the tables `str` and `place`: id → text or place. An id that is not there is the empty text. */
export class TextReader {
  readonly #known = new Map<number, string>();
  readonly #text;
  readonly #place;

  constructor(db: Connection) {
    this.#text = db.prepare<[number], string>('SELECT text FROM str WHERE id = ?').pluck();
    this.#place = db.prepare<[number], PlaceRow>('SELECT file, line, col, offset_bytes FROM place WHERE id = ?');
  }

  text(id: number): string {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const text = this.#text.get(id) ?? '';
    if (this.#known.size >= KNOWN_MAX_TEXTS) this.#known.clear();
    this.#known.set(id, text);
    return text;
  }

  place(id: number): Place {
    const row = this.#place.get(id);
    if (row === undefined) return { file: '' };
    const { file, line, col, offset_bytes: offsetBytes } = row;
    return {
      file: this.text(file),
      ...(line !== null && { line }),
      ...(col !== null && { column: col }),
      ...(offsetBytes !== null && { offsetBytes }),
    };
  }
}
