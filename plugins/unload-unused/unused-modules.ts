import * as v from 'valibot';
import { matchingName, type PluginContext, type PluginHandled } from '../../core/plugin-api/index.ts';
import { TrackedModules } from './tracked-modules.ts';

/** The one key of the store. */
const KEY = 'modules';

const stored = v.object({
  /** The boot in which they were loaded: after the next, whatever is loaded is not by us. */
  bootId: v.string(),
  modules: v.array(
    v.pipe(
      v.object({ module: v.string(), devices: v.array(v.string()), idleSinceMs: v.optional(v.number()) }),
      v.transform(({ module, devices, idleSinceMs }) => ({
        module,
        devices,
        ...(idleSinceMs === undefined ? {} : { idleSinceMs }),
      })),
    ),
  ),
});

export interface UnloadPolicy {
  readonly afterMs: number;
  /** Patterns of modules that stay. */
  readonly keep: readonly string[];
  readonly bootId: string;
}

/** Keeps book of what was loaded for whom, also over a restart, and removes what has been without a device for long enough. */
export class UnusedModules {
  readonly #policy: UnloadPolicy;
  readonly #context: Pick<PluginContext<unknown>, 'actions' | 'devices' | 'log' | 'store'>;
  #tracked = new TrackedModules();
  #timer: NodeJS.Timeout | undefined;

  constructor(policy: UnloadPolicy, context: Pick<PluginContext<unknown>, 'actions' | 'devices' | 'log' | 'store'>) {
    this.#policy = policy;
    this.#context = context;
  }

  /** Takes up the book where an earlier start left it; devices may have gone since. */
  async start(): Promise<void> {
    const read = v.safeParse(stored, await this.#context.store.get(KEY));
    if (read.success && read.output.bootId === this.#policy.bootId) {
      this.#tracked = new TrackedModules(read.output.modules.filter(({ module }) => !this.#isKept(module)));
      const devices = await this.#context.devices();
      this.#tracked.present(new Set(devices.map(({ devpath }) => devpath)), Date.now());
    }
    await this.#changed();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** An event of a device was dealt with. What was inserted for it is ours; what was there already, only when it is ours. */
  async loaded({ event, device, outcomes }: Pick<PluginHandled, 'event' | 'device' | 'outcomes'>): Promise<void> {
    let isChanged = false;
    for (const { module, kind } of outcomes) {
      if (this.#isKept(module)) continue;
      const book = [module, device.devpath, event.receivedAtMs, Date.now()] as const;
      if (kind === 'inserted') isChanged = this.#tracked.inserted(...book) || isChanged;
      if (kind === 'already-loaded') isChanged = this.#tracked.shared(...book) || isChanged;
    }
    if (isChanged) await this.#changed();
  }

  async released(devpath: string): Promise<void> {
    if (this.#tracked.released(devpath, Date.now()).length > 0) await this.#changed();
  }

  #isKept(module: string): boolean {
    return matchingName(this.#policy.keep, module) !== undefined;
  }

  async #changed(): Promise<void> {
    this.#arm();
    const { bootId } = this.#policy;
    const modules = this.#tracked.all().map(tracked => ({ ...tracked }));
    await this.#context.store.set(KEY, { bootId, modules });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const dueMs = this.#tracked.nextDueMs(this.#policy.afterMs);
    if (dueMs === undefined) return;
    this.#timer = setTimeout(() => void this.#removeDue(), Math.max(0, dueMs - Date.now()));
    this.#timer.unref();
  }

  async #removeDue(): Promise<void> {
    for (const module of this.#tracked.due(Date.now(), this.#policy.afterMs)) await this.#remove(module);
    await this.#changed();
  }

  async #remove(module: string): Promise<void> {
    const { actions, log } = this.#context;
    // One that another brought along may have gone with it, and a device may have come while the others were removed.
    if (this.#tracked.get(module)?.devices.length !== 0) return;
    try {
      const answer = await actions.unload(module);
      if ('unloaded' in answer) {
        for (const name of [module, ...answer.unloaded]) this.#tracked.forget(name);
        if (answer.unloaded.length > 0)
          log.info(`removed ${answer.unloaded.join(', ')}: no device has used it for a while`);
      } else {
        this.#tracked.postpone(module, Date.now());
        log.info(`${module} stays for now: ${answer.refused}`);
      }
    } catch (error) {
      this.#tracked.postpone(module, Date.now());
      log.warn(`${module} cannot be removed: ${(error as Error).message}`);
    }
  }
}
