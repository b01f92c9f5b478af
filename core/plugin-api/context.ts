import type { PluginDevice } from './device.ts';
import type { Fact } from './hooks.ts';

/** What can be kept: whatever JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A plugin's own small memory, which outlives the daemon: at most 1,024 keys and 256 KiB in all. */
export interface PluginStore {
  get(key: string): Promise<Json | undefined>;
  /** Rejected when the store is full. */
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
  keys(): Promise<readonly string[]>;
}

/** Lines for the journal and for `usher monitor`, with the plugin's name before them. More than 20 in 10 s are counted, not shown. */
export interface PluginLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/**
 * What a plugin wants beyond its calls. usherd gives it to a bundled plugin that is switched on, and to any other only where the
 * administrator grants it by name: `grant = ["drivers"]` in the plugin's file.
 * `drivers`: keep a device for a driver, unbind and bind it. `unload`: remove a module that nothing uses. `net`: the machine's network.
 * `read:/PATH`: read this file, or what is below this folder. `search`: look for drivers in package indexes.
 */
export type Need = 'drivers' | 'unload' | 'net' | 'search' | `read:/${string}`;

/** What became of a wish to remove a module. */
export type UnloadAnswer =
  /** Empty when it was not there. */
  | { readonly unloaded: readonly string[] }
  /** In use, built in, or refused by the kernel: in words. */
  | { readonly refused: string };

/** A driver that indexes of packages, or a catalogue, know of and that is not here. */
export interface FoundDriver {
  /** What a person types to have it: `usher driver install DEVICE NAME`. */
  readonly name: string;
  readonly version: string;
  readonly origin: string;
  readonly licence: 'free' | 'proprietary' | 'unknown';
  readonly delivers: 'module' | 'firmware' | 'program';
  /** Comparable among those for one device; see `usher driver search`. */
  readonly score: number;
  /** What speaks for and against it, in sentences. */
  readonly reasons: readonly string[];
  /** It is the one that would be taken without being named. */
  readonly isChosen: boolean;
  /** Nothing speaks against taking it: no obstacle, and no pattern that is too broad. */
  readonly isFit: boolean;
}

/** What changes the machine. Each is rejected when the plugin was not granted the need, and does nothing where usherd only observes. */
export interface PluginActions {
  /**
   * Needs `drivers`. Keeps the device for this driver by its driver_override, takes it from the driver it has now, and has the bus look
   * again. Without a driver the device is free for all again. Rejected with the kernel's word when the bus knows no driver_override.
   */
  overrideDriver(devpath: string, driver: string | undefined): Promise<void>;
  /**
   * Needs `unload`. Removes this one module, never what it needed besides, and never one that anything uses: a module, a process, a
   * bound device.
   */
  unload(module: string): Promise<UnloadAnswer>;
  /**
   * Needs `search`. What is known of drivers for a modalias, best first, by the system's own data; nothing is fetched and nothing
   * changed. It takes a second or more: a process of its own reads the indexes, for all that ask at the same time.
   */
  findDrivers(modalias: string): Promise<readonly FoundDriver[]>;
}

/** Why a plugin is stopped. `replaced`: its file or settings changed, and it starts again. `removed`: it is switched off or gone. */
export type StopReason = 'replaced' | 'removed' | 'shutdown';

/** All a plugin is given. */
export interface PluginContext<Settings> {
  readonly settings: Settings;
  readonly store: PluginStore;
  readonly log: PluginLog;
  readonly actions: PluginActions;
  /** Aborted when the plugin is stopped. */
  readonly signal: AbortSignal;
  /** The devices that are there now, with the facts that are wanted. */
  devices(query?: { readonly subsystem?: string; readonly wants?: readonly Fact[] }): Promise<readonly PluginDevice[]>;
  /** Has `clean` called before the plugin is stopped; at most 5 s are waited for it. */
  onStop(clean: (reason: StopReason) => void | Promise<void>): void;
}
