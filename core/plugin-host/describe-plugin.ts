import { PLUGIN_API, type Plugin } from '../plugin-api/plugin.ts';
import type { Fact, Hook, HookKind } from '../plugin-api/hooks.ts';
import type { Filter } from '../plugin-api/filter.ts';
import type { Need } from '../plugin-api/context.ts';
import { isNeed } from './needs.ts';
import { isOrder, ORDER_MAX } from './plugin-order.ts';
import { isPluginName } from './plugin-place.ts';

/** What a plugin says of itself, checked. It can go over a channel. */
export interface PluginFacts {
  readonly name: string;
  readonly version?: string;
  readonly summary?: string;
  readonly needs: readonly Need[];
  readonly order?: number;
}

/** What a hook says of itself, checked and with its defaults. */
export interface HookFacts {
  readonly kind: HookKind;
  readonly filter: Filter;
  readonly wants: readonly Fact[];
  readonly deadlineMs: number;
  /** Of `opine` only. */
  readonly onError?: 'deny' | 'abstain';
}

const KINDS: readonly string[] = ['observe', 'opine', 'nomatch', 'afterLoad', 'report'] satisfies readonly HookKind[];
const FILTER_KEYS: readonly string[] = [
  'action',
  'subsystem',
  'modalias',
  'devpath',
  'module',
  'role',
  'asker',
] satisfies readonly (keyof Filter)[];

/** An opinion is in the way of an event; the others are not. In milliseconds. */
const OPINE_DEADLINE_MS = 200;
const OPINE_DEADLINE_MAX_MS = 10_000;
const DEADLINE_MS = 5000;
const DEADLINE_MAX_MS = 60_000;
/** Nothing waits for a proposal, and whoever makes one may have to read all indexes of a slow machine. */
const NOMATCH_DEADLINE_MAX_MS = 600_000;

/** More than a plugin has; each may be called for each event. */
const HOOKS_MAX = 32;
const PATTERNS_MAX = 1024;
const PATTERN_MAX_CHARACTERS = 1024;
const TEXT_MAX_CHARACTERS = 200;

/** A module's default export → what it says of itself, or what is wrong with it. Nothing is believed of a value that came from outside. */
export function describePlugin(value: unknown): PluginFacts | { readonly wrong: string } {
  if (!isObject(value)) return { wrong: 'its default export is no plugin: wanted definePlugin({ name, api, … })' };
  const { name, api, version, summary, needs = [], order, settings, hooks, setup } = value as Partial<Plugin>;
  if (typeof name !== 'string' || !isPluginName(name))
    return { wrong: `its name is ${quote(name)}, wanted small letters, digits and dashes` };
  if (api !== PLUGIN_API) return { wrong: `it was written for interface ${quote(api)}, this usherd has ${PLUGIN_API}` };
  if (!isText(version) || !isText(summary)) return { wrong: `its version and summary must be texts of one line` };
  if (!Array.isArray(needs) || !needs.every(isNeed))
    return { wrong: `its needs are ${quote(needs)}, wanted some of drivers, unload, net, search, read:/PATH` };
  if (order !== undefined && !isOrder(order))
    return { wrong: `its order is ${quote(order)}, wanted a whole number from 0 to ${ORDER_MAX}` };
  if (settings !== undefined && typeof settings['~standard']?.validate !== 'function')
    return { wrong: 'its settings are no Standard Schema' };
  if ((hooks === undefined) === (setup === undefined)) return { wrong: 'it must have either hooks or setup' };
  if (setup !== undefined && typeof setup !== 'function') return { wrong: 'its setup is no function' };
  return {
    name,
    needs: [...needs],
    ...(version === undefined ? {} : { version }),
    ...(summary === undefined ? {} : { summary }),
    ...(order === undefined ? {} : { order }),
  };
}

/** The hooks a plugin has or its setup answered with → what each says of itself, or what is wrong with one. */
export function describeHooks(value: unknown): readonly HookFacts[] | { readonly wrong: string } {
  if (!Array.isArray(value)) return { wrong: `its hooks are ${quote(value)}, wanted a list` };
  if (value.length > HOOKS_MAX) return { wrong: `it has ${value.length} hooks, at most ${HOOKS_MAX} are called` };
  const facts: HookFacts[] = [];
  for (const [index, hook] of (value as readonly unknown[]).entries()) {
    const described = describeHook(hook);
    if ('wrong' in described) return { wrong: `hook ${index + 1} ${described.wrong}` };
    facts.push(described);
  }
  return facts;
}

/** What a started plugin in a jail said of its hooks, which came as text. */
export function isHookFacts(value: unknown): value is HookFacts {
  return isObject(value) && !('wrong' in describeHook({ ...value, call: () => undefined }));
}

function describeHook(value: unknown): HookFacts | { readonly wrong: string } {
  if (!isObject(value)) return { wrong: `is ${quote(value)}, wanted { kind, call, … }` };
  const { kind, filter = {}, wants = [], deadlineMs, call } = value as Partial<Hook>;
  if (typeof kind !== 'string' || !KINDS.includes(kind))
    return { wrong: `is of kind ${quote(kind)}, wanted one of ${KINDS.join(', ')}` };
  if (typeof call !== 'function') return { wrong: `(${kind}) has no function "call"` };
  const wrong = wrongFilter(filter);
  if (wrong !== undefined) return { wrong: `(${kind}) has a filter ${wrong}` };
  if (!Array.isArray(wants) || !wants.every(isFact))
    return { wrong: `(${kind}) wants ${quote(wants)}, there are traits, usb and attr:NAME` };
  const usual = kind === 'opine' ? OPINE_DEADLINE_MS : DEADLINE_MS;
  const most =
    kind === 'opine' ? OPINE_DEADLINE_MAX_MS : kind === 'nomatch' ? NOMATCH_DEADLINE_MAX_MS : DEADLINE_MAX_MS;
  const deadline = deadlineMs ?? usual;
  if (!(typeof deadline === 'number' && deadline > 0 && deadline <= most))
    return { wrong: `(${kind}) has the deadline ${quote(deadlineMs)}, wanted at most ${most} ms` };
  const basis = { kind, filter, wants: [...wants], deadlineMs: deadline };
  if (kind !== 'opine') return basis;
  const { onError } = value as { onError?: unknown };
  if (onError !== 'deny' && onError !== 'abstain')
    return { wrong: `(opine) has onError ${quote(onError)}, wanted "deny" or "abstain"` };
  return { ...basis, onError };
}

function wrongFilter(filter: unknown): string | undefined {
  if (!isObject(filter)) return `that is ${quote(filter)}, wanted { KEY: [PATTERN, …] }`;
  for (const [key, patterns] of Object.entries(filter)) {
    if (!FILTER_KEYS.includes(key)) return `for ${quote(key)}, there are ${FILTER_KEYS.join(', ')}`;
    if (
      patterns !== undefined &&
      !(Array.isArray(patterns) && patterns.length <= PATTERNS_MAX && patterns.every(isPattern))
    )
      return `whose ${key} is ${quote(patterns)}, wanted at most ${PATTERNS_MAX} texts`;
  }
  return undefined;
}

function isPattern(value: unknown): boolean {
  return typeof value === 'string' && value.length <= PATTERN_MAX_CHARACTERS;
}

/** A sysfs attribute is named by a plain file name, below the device itself. */
function isFact(value: unknown): value is Fact {
  return (
    value === 'traits' || value === 'usb' || (typeof value === 'string' && /^attr:[A-Za-z0-9_][\w.+-]*$/.test(value))
  );
}

function isText(value: unknown): value is string | undefined {
  return (
    value === undefined ||
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be in it
    (typeof value === 'string' && value.length <= TEXT_MAX_CHARACTERS && !/[\0-\x1f\x7f]/.test(value))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, TEXT_MAX_CHARACTERS);
}
