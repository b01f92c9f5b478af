import type { Devpath } from '../../vocabulary/devpath.ts';
import type { EntryId } from './entry-id.ts';

/** Devices whose driver was just loaded and may bind: more than are ever plugged in at once; the oldest is forgotten first. */
const AWAITING_MAX_DEVICES = 4096;

/** Which entry looked for a device's driver last, so that a later `bind` can be told from one that nobody here had a hand in. */
export class AwaitingBind {
  readonly #entries = new Map<Devpath, EntryId>();

  expect(devpath: Devpath, entry: EntryId): void {
    this.#entries.delete(devpath);
    this.#entries.set(devpath, entry);
    if (this.#entries.size <= AWAITING_MAX_DEVICES) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** The entry that waited for this device's driver, once. */
  take(devpath: Devpath): EntryId | undefined {
    const entry = this.#entries.get(devpath);
    this.#entries.delete(devpath);
    return entry;
  }
}
