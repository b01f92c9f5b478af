import type { StopReason } from '../plugin-api/context.ts';
import type { HookFacts, PluginFacts } from './describe-plugin.ts';

/** Longest line either side takes, in bytes; an event has at most 2 KiB, an answer a sentence, a store's value 256 KiB. */
export const JAIL_LINE_MAX_BYTES = 512 * 1024;

/** What a jailed plugin can ask the daemon for: members of its context, by name. */
export const SERVICES = [
  'store.get',
  'store.set',
  'store.delete',
  'store.keys',
  'actions.overrideDriver',
  'actions.unload',
  'actions.findDrivers',
  'devices',
] as const;
export type Service = (typeof SERVICES)[number];

/** Daemon → jail, one JSON line each. */
export type ToJail =
  | { readonly kind: 'start'; readonly file: string; readonly settings: Readonly<Record<string, unknown>> }
  | { readonly kind: 'call'; readonly id: number; readonly hook: number; readonly args: readonly unknown[] }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly kind: 'stop'; readonly reason: StopReason };

/** Jail → daemon, one JSON line each. Nothing in it is believed before it is looked at. */
export type FromJail =
  | { readonly kind: 'started'; readonly facts: PluginFacts; readonly hooks: readonly HookFacts[] }
  | { readonly kind: 'not-started'; readonly wrong: string }
  | { readonly kind: 'result'; readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly kind: 'ask'; readonly id: number; readonly service: Service; readonly args: readonly unknown[] }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  | { readonly kind: 'stopped' };
