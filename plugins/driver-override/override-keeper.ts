import * as v from 'valibot';
import type { PluginContext, PluginDevice } from '../../core/plugin-api/index.ts';
import type { OverrideEntry } from './settings.ts';
import { entryFor } from './wanted-driver.ts';

/** What was done to a device, so that it can be undone. */
const doneOverride = v.object({
  driver: v.string(),
  /** Somebody else's override that was there before. */
  previous: v.optional(v.string()),
});
type DoneOverride = v.InferOutput<typeof doneOverride>;

const KEY_PREFIX = 'override:';
const ATTRIBUTE = 'driver_override';

type Context = Pick<PluginContext<unknown>, 'actions' | 'devices' | 'log' | 'store'>;

/** Keeps devices for the drivers that the settings name, and remembers it, so that it can be taken back. */
export class OverrideKeeper {
  readonly #entries: readonly OverrideEntry[];
  readonly #context: Context;

  constructor(entries: readonly OverrideEntry[], context: Context) {
    this.#entries = entries;
    this.#context = context;
  }

  /** Goes through what is there: what an earlier start did and the settings do not want any more is undone, what they want is done. */
  async reconcile(): Promise<void> {
    try {
      const devices = await this.#devices();
      for (const [devpath, done] of await this.#done()) {
        const device = devices.get(devpath);
        if (device === undefined) await this.#context.store.delete(KEY_PREFIX + devpath);
        else if (entryFor(this.#entries, device) === undefined) await this.#undo(device, done);
      }
      for (const device of devices.values()) await this.#keep(device);
    } catch (error) {
      this.#context.log.error(`the devices that are here could not be gone through: ${(error as Error).message}`);
    }
  }

  /** A device has come, or is told of again. */
  async added(devpath: string, subsystem: string): Promise<void> {
    const device = (await this.#devices(subsystem)).get(devpath);
    if (device !== undefined) await this.#keep(device);
  }

  /** A device that is gone has taken its override along. */
  async removed(devpath: string): Promise<void> {
    if ((await this.#context.store.get(KEY_PREFIX + devpath)) !== undefined)
      await this.#context.store.delete(KEY_PREFIX + devpath);
  }

  /** Gives every device back that was kept. */
  async undoAll(): Promise<void> {
    const devices = await this.#devices();
    for (const [devpath, done] of await this.#done()) {
      const device = devices.get(devpath);
      if (device !== undefined) await this.#undo(device, done);
    }
  }

  async #keep(device: PluginDevice): Promise<void> {
    const { store, log, actions } = this.#context;
    const { devpath } = device;
    const driver = entryFor(this.#entries, device)?.driver;
    const now = overrideOf(device);
    // A device that is where it belongs is left alone: a machine may be running on it. One that has no driver yet has asked for it.
    if (driver === undefined || (now === driver && (device.driver ?? driver) === driver)) return;
    const done = v.safeParse(doneOverride, await store.get(KEY_PREFIX + devpath));
    const previous = done.success ? done.output.previous : now;
    try {
      // Written down first: what is done and not remembered could not be undone.
      await store.set(KEY_PREFIX + devpath, { driver, ...(previous === undefined ? {} : { previous }) });
      await actions.overrideDriver(devpath, driver);
      const had = device.driver === undefined ? '' : `, it had ${device.driver}`;
      log.info(`${devpath} is kept for ${driver}${had}`);
    } catch (error) {
      if (!done.success) await store.delete(KEY_PREFIX + devpath);
      log.warn(`${devpath} cannot be kept for ${driver}: ${(error as Error).message}`);
    }
  }

  async #undo(device: PluginDevice, { driver, previous }: DoneOverride): Promise<void> {
    const { store, log, actions } = this.#context;
    const { devpath } = device;
    try {
      // Somebody else has set another since, or the machine was started anew: nothing of ours is left to undo.
      if (overrideOf(device) === driver) {
        await actions.overrideDriver(devpath, previous);
        log.info(`${devpath} is no longer kept for ${driver}`);
      }
      await store.delete(KEY_PREFIX + devpath);
    } catch (error) {
      log.warn(`${devpath} cannot be given back: ${(error as Error).message}`);
    }
  }

  async #done(): Promise<ReadonlyMap<string, DoneOverride>> {
    const { store, log } = this.#context;
    const all = new Map<string, DoneOverride>();
    for (const key of await store.keys()) {
      if (!key.startsWith(KEY_PREFIX)) continue;
      const read = v.safeParse(doneOverride, await store.get(key));
      if (read.success) all.set(key.slice(KEY_PREFIX.length), read.output);
      else log.warn(`the store's ${key} says nothing of use; it is left alone`);
    }
    return all;
  }

  async #devices(subsystem?: string): Promise<ReadonlyMap<string, PluginDevice>> {
    const found = await this.#context.devices({
      wants: [`attr:${ATTRIBUTE}`],
      ...(subsystem === undefined ? {} : { subsystem }),
    });
    return new Map(found.map(device => [device.devpath, device]));
  }
}

/** The kernel prints a text of its own where there is none. Source: drivers/base/driver.c, driver_override; drivers/pci/pci-sysfs.c. */
function overrideOf({ attributes }: PluginDevice): string | undefined {
  const value = attributes?.[ATTRIBUTE]?.trim();
  return value === undefined || value === '' || value === '(null)' ? undefined : value;
}
