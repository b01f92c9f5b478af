import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Json, PluginStore } from '../plugin-api/context.ts';

const KEYS_MAX = 1024;
const KEY_MAX_CHARACTERS = 256;
const BYTES_MAX = 256 * 1024;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * One plugin's memory: a JSON file, read once, and written whole beside itself and renamed, so that a crash leaves the one from before or the
 * new one. A change is on disk when its promise is kept; changes that come while one is written are written together.
 */
export class FileStore implements PluginStore {
  readonly #file: string;
  readonly #isReadOnly: boolean;
  #values: Map<string, Json> | undefined;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** A read-only store keeps what is set only for as long as it lives. */
  constructor(folder: string, name: string, { isReadOnly = false }: { readonly isReadOnly?: boolean } = {}) {
    this.#file = path.join(folder, `${name}.json`);
    this.#isReadOnly = isReadOnly;
  }

  async get(key: string): Promise<Json | undefined> {
    return this.#read().get(key);
  }

  async keys(): Promise<readonly string[]> {
    return [...this.#read().keys()];
  }

  async set(key: string, value: Json): Promise<void> {
    if (typeof key !== 'string' || key === '' || key.length > KEY_MAX_CHARACTERS)
      throw new RangeError(`a key must have 1 to ${KEY_MAX_CHARACTERS} characters`);
    const text: unknown = JSON.stringify(value);
    if (typeof text !== 'string') throw new TypeError(`"${key}" is to be something JSON has no word for`);
    const values = this.#read();
    const changed = new Map(values).set(key, JSON.parse(text) as Json);
    if (changed.size > KEYS_MAX) throw new RangeError(`the store is full: it has ${KEYS_MAX} keys`);
    if (textOf(changed).length > BYTES_MAX) throw new RangeError(`the store is full: it holds ${BYTES_MAX} bytes`);
    this.#values = changed;
    await this.#write();
  }

  async delete(key: string): Promise<void> {
    if (this.#read().delete(key)) await this.#write();
  }

  /** A file that is damaged is set aside beside itself: a plugin that begins anew is better than none. */
  #read(): Map<string, Json> {
    if (this.#values !== undefined) return this.#values;
    let values = new Map<string, Json>();
    try {
      values = new Map(Object.entries(JSON.parse(readFileSync(this.#file, 'utf8')) as Record<string, Json>));
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isMissing && !this.#isReadOnly) renameSync(this.#file, `${this.#file}.damaged-${Date.now()}`);
    }
    this.#values = values;
    return values;
  }

  #write(): Promise<void> {
    if (this.#isReadOnly) return Promise.resolve();
    if (this.#writing === undefined) {
      this.#writing = this.#writeNow().finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    }
    this.#next ??= this.#writing.then(
      () => this.#writeNext(),
      () => this.#writeNext(),
    );
    return this.#next;
  }

  #writeNext(): Promise<void> {
    this.#next = undefined;
    return this.#write();
  }

  async #writeNow(): Promise<void> {
    const beside = `${this.#file}.new`;
    mkdirSync(path.dirname(this.#file), { recursive: true, mode: FOLDER_MODE });
    rmSync(beside, { force: true });
    const file = await open(beside, 'wx', FILE_MODE);
    try {
      await file.writeFile(`${textOf(this.#values ?? new Map())}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(beside, this.#file);
  }
}

function textOf(values: ReadonlyMap<string, Json>): string {
  return JSON.stringify(Object.fromEntries(values));
}
