import { GLOBAL_OPTIONS } from './global-options.ts';
import type { OptionSpec, OptionValues, Verb } from './verb.ts';

/** Words that say all a verb needs, taken apart. */
export interface PlainWords {
  readonly args: readonly string[];
  readonly values: OptionValues;
}

interface Flags {
  readonly spec: OptionSpec;
  /** As it is written; a negation with its `no-`. */
  readonly long: string;
  readonly short: string | undefined;
  readonly takesValue: boolean;
  /** `--no-coldplug`: the option is called `coldplug`, and true unless it is given. */
  readonly isNegation: boolean;
  readonly key: string;
}

/**
 * Words behind a verb's name → what they say, when there is nothing to be said about them. Undefined for `--help` and for every
 * mistake: the full parser has the words for those, and is loaded only then. Both read the same specs.
 */
export function readPlainWords(verb: Verb, words: readonly string[]): PlainWords | undefined {
  const known: Flags[] = [];
  for (const spec of [...verb.options, ...GLOBAL_OPTIONS]) {
    const flags = readFlags(spec);
    if (flags === undefined) return undefined;
    known.push(flags);
  }
  const args: string[] = [];
  const values: Record<string, OptionValues[string]> = {};
  for (const { isNegation, key } of known) if (isNegation) values[key] = true;
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '-' || !word.startsWith('-')) args.push(word);
    else if (!(word.startsWith('--') ? takeLong(word, queue, known, values) : takeShort(word, queue, known, values)))
      return undefined;
  }
  return countFits(verb, args.length) ? { args, values } : undefined;
}

/** `-n, --limit <count>` → its parts; undefined for a value that may be left out, which only the full parser knows. */
function readFlags(spec: OptionSpec): Flags | undefined {
  const [, short, negation, name, value] = /^(?:-(\w), )?--(no-)?([\w-]+)(?: (<.+>|\[.+\]))?$/.exec(spec.flags) ?? [];
  if (name === undefined || value?.startsWith('[') === true) return undefined;
  const key = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    spec,
    long: `--${negation ?? ''}${name}`,
    short,
    takesValue: value !== undefined,
    isNegation: negation !== undefined,
    key,
  };
}

type Values = Record<string, OptionValues[string]>;

/** `--limit 5`, `--limit=5`, `--all` → whether it was understood. */
function takeLong(word: string, queue: string[], known: readonly Flags[], values: Values): boolean {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const flags = known.find(({ long }) => long === name);
  return flags !== undefined && take(flags, equals < 0 ? undefined : word.slice(equals + 1), queue, values);
}

/** `-l 5`, `-l5`, `-an` → whether it was understood. */
function takeShort(word: string, queue: string[], known: readonly Flags[], values: Values): boolean {
  for (let at = 1; at < word.length; at++) {
    const flags = known.find(({ short }) => short === word.charAt(at));
    if (flags === undefined) return false;
    const rest = word.slice(at + 1);
    if (flags.takesValue) return take(flags, rest === '' ? undefined : rest, queue, values);
    take(flags, undefined, queue, values);
  }
  return true;
}

function take(
  { spec, takesValue, isNegation, key }: Flags,
  attached: string | undefined,
  queue: string[],
  values: Values,
): boolean {
  if (!takesValue) {
    values[key] = !isNegation;
    return attached === undefined;
  }
  const value = attached ?? queue.shift();
  // What looks like an option, or is none of the choices, the full parser has something to say about.
  if (value === undefined || (attached === undefined && /^-./.test(value))) return false;
  if (spec.choices !== undefined && !spec.choices.includes(value)) return false;
  const before = values[key];
  values[key] = spec.isRepeatable === true ? [...(Array.isArray(before) ? before : []), value] : value;
  return true;
}

function countFits(verb: Verb, count: number): boolean {
  const least = verb.arguments.filter(({ isRequired }) => isRequired === true).length;
  const isOpen = verb.arguments.some(({ isVariadic }) => isVariadic === true);
  return count >= least && (isOpen || count <= verb.arguments.length);
}
