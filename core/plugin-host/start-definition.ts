import type { PluginContext, StopReason } from '../plugin-api/context.ts';
import type { Hook } from '../plugin-api/hooks.ts';
import type { Plugin } from '../plugin-api/plugin.ts';
import type { SchemaResult } from '../plugin-api/standard-schema.ts';
import { describeHooks, describePlugin, type HookFacts, type PluginFacts } from './describe-plugin.ts';

/** A plugin that was set up, in this very process: the daemon's, a jail's, or a test's. */
export interface StartedDefinition {
  readonly facts: PluginFacts;
  readonly hooks: readonly HookFacts[];
  /** Calls one hook with what its kind is called with. It throws what the hook throws. */
  call(hook: number, args: readonly unknown[], signal: AbortSignal): unknown;
  /** Aborts its signal and calls what it wants to be called before it ends. */
  stop(reason: StopReason): Promise<void>;
}

/** What the caller gives a plugin besides its settings. */
export type Surroundings = Pick<PluginContext<unknown>, 'store' | 'log' | 'actions' | 'devices'>;

/** A plugin could not be started, for a reason that stands in it or in its settings. */
export interface NotStarted {
  readonly wrong: string;
}

/** How many of a settings table's faults are told. */
const ISSUES_MAX = 10;

/** A module's default export, its settings as they stand in the file, and what surrounds it → the plugin, set up; or what is wrong. */
export async function startDefinition(
  value: unknown,
  rawSettings: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Promise<StartedDefinition | NotStarted> {
  const facts = describePlugin(value);
  if ('wrong' in facts) return facts;
  const plugin = value as Plugin;
  const abort = new AbortController();
  const cleaners: ((reason: StopReason) => void | Promise<void>)[] = [];
  let hooks: readonly Hook[];
  try {
    const settings = await validateSettings(plugin, rawSettings);
    if ('wrong' in settings) return settings;
    hooks =
      plugin.setup === undefined
        ? (plugin.hooks ?? [])
        : await plugin.setup({
            ...surroundings,
            settings: settings.value,
            signal: abort.signal,
            onStop: clean => void cleaners.push(clean),
          });
  } catch (error) {
    return { wrong: `its setup failed: ${messageOf(error)}` };
  }
  const described = describeHooks(hooks);
  if ('wrong' in described) return described;
  return {
    facts,
    hooks: described,
    call: (hook, args, signal) => {
      const { call } = hooks[hook] as { call: (...values: readonly unknown[]) => unknown };
      return call(...args, signal);
    },
    stop: async reason => {
      abort.abort();
      for (const clean of cleaners) await clean(reason);
    },
  };
}

/** A thrown value as one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}

async function validateSettings(
  { settings }: Plugin,
  raw: Readonly<Record<string, unknown>>,
): Promise<{ readonly value: unknown } | NotStarted> {
  if (settings === undefined) {
    const [first] = Object.keys(raw);
    return first === undefined ? { value: undefined } : { wrong: `it takes no settings, and there is "${first}"` };
  }
  const result: SchemaResult<unknown> = await settings['~standard'].validate(raw);
  if (result.issues === undefined) return { value: result.value };
  const told = result.issues.slice(0, ISSUES_MAX).map(({ message, path = [] }) => {
    const keys = path.map(part => String(typeof part === 'object' ? part.key : part));
    return keys.length === 0 ? message : `${keys.join('.')}: ${message}`;
  });
  return { wrong: `its settings: ${told.join('; ')}` };
}
