import type { Devpath } from '../../vocabulary/devpath.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { differences, type SeenDevice } from './seen-device.ts';

/** Devices that may wait at once: more than a person answers. Beyond it the one that waited longest is let go, and must be plugged again. */
export const PENDING_MAX_DEVICES = 256;
/** A question nobody has answered in a day has no one to answer it; the device stays without its driver. */
export const PENDING_EXPIRES_AFTER_MS = 24 * 60 * 60_000;

/** A device that waits for an answer. */
export interface PendingItem {
  /** Number of its row in the ledger; what people call it by. */
  readonly id: number;
  /** The ledger's entry of the event that brought it. */
  readonly entry: number;
  readonly subsystem: string;
  /** What it would load. */
  readonly modules: readonly ModuleName[];
  /** Who holds it and why, a sentence each. */
  readonly reasons: readonly string[];
  readonly seen: SeenDevice;
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
}

/** Devices that wait for an administrator's answer, one question a device. It only keeps; its owner acts. */
export class PendingQueue {
  readonly #items = new Map<Devpath, PendingItem>();

  /** Oldest first. */
  get items(): readonly PendingItem[] {
    return [...this.#items.values()];
  }

  byId(id: number): PendingItem | undefined {
    return this.items.find(item => item.id === id);
  }

  /** The question that stands about this very device already; a device that only looks like it is another. */
  standing(seen: SeenDevice): PendingItem | undefined {
    const item = this.#items.get(seen.devpath);
    return item !== undefined && differences(item.seen, seen).length === 0 ? item : undefined;
  }

  /** Adds a question → those that had to go for it: the one about the device that was there before, and the oldest when it is full. */
  add(item: PendingItem): { readonly replaced?: PendingItem; readonly crowdedOut?: PendingItem } {
    const replaced = this.remove(item.seen.devpath);
    const oldest = this.#items.size >= PENDING_MAX_DEVICES ? this.items[0] : undefined;
    if (oldest !== undefined) this.remove(oldest.seen.devpath);
    this.#items.set(item.seen.devpath, item);
    return {
      ...(replaced === undefined ? {} : { replaced }),
      ...(oldest === undefined ? {} : { crowdedOut: oldest }),
    };
  }

  /** Takes out the question about a device. */
  remove(devpath: Devpath): PendingItem | undefined {
    const item = this.#items.get(devpath);
    this.#items.delete(devpath);
    return item;
  }

  /** Takes out all that have waited too long. */
  takeExpired(nowMs: number): readonly PendingItem[] {
    const expired = this.items.filter(({ expiresAtMs }) => expiresAtMs <= nowMs);
    for (const { seen } of expired) this.#items.delete(seen.devpath);
    return expired;
  }

  /** When the next one has waited too long. */
  get nextExpiryMs(): number | undefined {
    return this.#items.size === 0 ? undefined : Math.min(...this.items.map(({ expiresAtMs }) => expiresAtMs));
  }
}
