/** A module that usherd loaded for devices. */
export interface TrackedModule {
  readonly module: string;
  /** Devpaths of those it was loaded for, and that are still there. */
  readonly devices: readonly string[];
  /** Since when it has none; undefined while it has. Milliseconds since 1970. */
  readonly idleSinceMs?: number;
}

/** Devices that have just gone; an event that was handled late may still speak of one. */
const GONE_MAX = 1024;

/** Which modules were loaded for which devices. It only keeps book: what is done about it is decided by whoever asks. */
export class TrackedModules {
  readonly #modules = new Map<string, TrackedModule>();
  readonly #goneAtMs = new Map<string, number>();

  constructor(known: readonly TrackedModule[] = []) {
    for (const tracked of known) this.#modules.set(tracked.module, tracked);
  }

  all(): readonly TrackedModule[] {
    return [...this.#modules.values()];
  }

  get(module: string): TrackedModule | undefined {
    return this.#modules.get(module);
  }

  /** Inserted for the device by an event of this moment. The device may have gone since → whether that changed anything. */
  inserted(module: string, devpath: string, eventAtMs: number, nowMs: number): boolean {
    return this.#use(module, devpath, eventAtMs, nowMs);
  }

  /** It was there already when the device asked: the device uses it too, when it is one of those we keep book of. */
  shared(module: string, devpath: string, eventAtMs: number, nowMs: number): boolean {
    return this.#modules.has(module) && this.#use(module, devpath, eventAtMs, nowMs);
  }

  /** The device is gone, or lost its driver → the modules it was in the book of. */
  released(devpath: string, nowMs: number): readonly string[] {
    this.#goneAtMs.delete(devpath);
    this.#goneAtMs.set(devpath, nowMs);
    const [oldest] = this.#goneAtMs.keys();
    if (this.#goneAtMs.size > GONE_MAX && oldest !== undefined) this.#goneAtMs.delete(oldest);
    const changed = this.all().filter(({ devices }) => devices.includes(devpath));
    for (const { module, devices } of changed) {
      const left = devices.filter(device => device !== devpath);
      this.#modules.set(module, { module, devices: left, ...(left.length === 0 ? { idleSinceMs: nowMs } : {}) });
    }
    return changed.map(({ module }) => module);
  }

  /** Only these devices are there → the modules of which others were in the book. */
  present(devpaths: ReadonlySet<string>, nowMs: number): readonly string[] {
    const gone = new Set(this.all().flatMap(({ devices }) => devices.filter(device => !devpaths.has(device))));
    return [...new Set([...gone].flatMap(devpath => this.released(devpath, nowMs)))];
  }

  /** Something uses it still, or somebody must ask again: its time begins anew. */
  postpone(module: string, nowMs: number): void {
    const tracked = this.#modules.get(module);
    if (tracked !== undefined && tracked.devices.length === 0)
      this.#modules.set(module, { ...tracked, idleSinceMs: nowMs });
  }

  forget(module: string): void {
    this.#modules.delete(module);
  }

  /** Modules without a device for at least so long, the one loaded last first: it may need those before it. */
  due(nowMs: number, afterMs: number): readonly string[] {
    return this.all()
      .filter(({ idleSinceMs }) => idleSinceMs !== undefined && nowMs - idleSinceMs >= afterMs)
      .map(({ module }) => module)
      .toReversed();
  }

  /** When the next one is due; undefined when all have devices. */
  nextDueMs(afterMs: number): number | undefined {
    const since = this.all().flatMap(({ idleSinceMs }) => idleSinceMs ?? []);
    return since.length === 0 ? undefined : Math.min(...since) + afterMs;
  }

  #use(module: string, devpath: string, eventAtMs: number, nowMs: number): boolean {
    const before = this.#modules.get(module);
    const isGone = (this.#goneAtMs.get(devpath) ?? 0) >= eventAtMs;
    const devices = [...new Set([...(before?.devices ?? []), ...(isGone ? [] : [devpath])])];
    if (before !== undefined && devices.length === before.devices.length) return false;
    this.#modules.set(module, { module, devices, ...(devices.length === 0 ? { idleSinceMs: nowMs } : {}) });
    return true;
  }
}
