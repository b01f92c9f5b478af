import { setTimeout as pause } from 'node:timers/promises';
import type { StopReason } from '../plugin-api/context.ts';
import type { HookFacts, PluginFacts } from './describe-plugin.ts';

/** Longest a plugin may take to clean up, in ms. */
export const STOP_MAX_MS = 5000;

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

/** A plugin's last words may fail or take too long; it ends all the same. */
export async function stopQuietly(running: RunningPlugin | undefined, reason: StopReason): Promise<void> {
  if (running === undefined) return;
  try {
    await Promise.race([running.stop(reason), pause(STOP_MAX_MS, undefined, { ref: false })]);
  } catch {
    // It was told that it ends, and could have cleaned up.
  }
}
