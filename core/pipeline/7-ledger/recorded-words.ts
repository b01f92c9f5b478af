import { deviceCondition, type EnvFilter, type HistoryFilter } from './history-filter.ts';
import type { Connection } from './database.ts';
import { isIdentityKey } from './identity-keys.ts';
import { SerialHider } from './serial-hider.ts';
import { readSerialKey, serialKeyFile } from './serial-key.ts';

/** Puts questions in the words of a record whose serial numbers and addresses may be keyed hashes. */
export class RecordedWords {
  readonly #db: Connection;
  readonly #keyFile: string;

  constructor(db: Connection, ledgerFile: string) {
    this.#db = db;
    this.#keyFile = serialKeyFile(ledgerFile);
  }

  /** @throws {UsherdError} FILE_UNREADABLE, KEY_UNUSABLE when a serial number is asked for and the key cannot be used */
  filter(filter: HistoryFilter): HistoryFilter {
    const { env } = filter;
    return this.named(env === undefined ? filter : { ...filter, env: this.#env(env) });
  }

  /** A filter that may have a device. */
  named<Filter extends { readonly device?: string | undefined }>(filter: Filter): Filter {
    return filter.device === undefined ? filter : { ...filter, device: this.device(filter.device) };
  }

  device(device: string): string {
    const hidden = this.#hider(false)?.text(device) ?? device;
    if (hidden === device) return device;
    const [where, name] = deviceCondition(device, 'devpath');
    const isKnown = this.#db.prepare(`SELECT 1 FROM device WHERE ${where} LIMIT 1`).get(name) !== undefined;
    return isKnown ? device : hidden;
  }

  #env({ key, values }: EnvFilter): EnvFilter {
    const hider = this.#hider(isIdentityKey(key));
    const notedAfter = this.#db.prepare<[], number>('SELECT first_id FROM identity WHERE what = 0').pluck().get() ?? 0;
    const hidden = hider === undefined ? [] : values.map(value => hider.value(key, value));
    return { key, values: [...new Set([...values, ...hidden])], notedAfter };
  }

  /** Undefined where serial numbers never were hidden. */
  #hider(isNeeded: boolean): SerialHider | undefined {
    try {
      const key = readSerialKey(this.#keyFile);
      return key === undefined ? undefined : new SerialHider(key);
    } catch (error) {
      if (isNeeded) throw error;
      return undefined;
    }
  }
}
