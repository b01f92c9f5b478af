import type { StopReason } from '../plugin-api/context.ts';
import type { HookFacts, PluginFacts } from './describe-plugin.ts';

/** A plugin that runs, inside or in a jail. */
export interface RunningPlugin {
  readonly facts: PluginFacts;
  readonly hooks: readonly HookFacts[];
  /** How much it is kept from: of a jail, `partial` on a kernel that cannot do all of it. */
  readonly isolation: 'inside' | 'jail' | 'partial jail';
  /** Resident memory of its own process in bytes; undefined inside. */
  readonly residentBytes?: number | undefined;
  /** Calls one hook; it throws or rejects with what the hook throws, or with why it could not be asked. */
  call(hook: number, args: readonly unknown[], signal: AbortSignal): unknown;
  /** It did not answer in time: what runs it may have to be ended. */
  late(): void;
  stop(reason: StopReason): Promise<void>;
}

/** Told what a running plugin does of its own. */
export interface PluginEnds {
  /** It ended without having been asked to. */
  ended(running: RunningPlugin, why: string): void;
}
