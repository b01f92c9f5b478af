import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { GLOBAL_OPTIONS } from './global-options.ts';
import type { OptionSpec, OptionValues, Verb } from './verb.ts';

/** Words that say all a verb needs, taken apart. */
export interface PlainWords {
  readonly args: readonly string[];
  readonly values: OptionValues;
}

interface Flags {
  readonly name: string;
  readonly short: string | undefined;
  readonly takesValue: boolean;
  /** `--no-coldplug`: the option is called `coldplug`, and true unless it is given. */
  readonly isNegation: boolean;
}

/**
 * Words behind a verb's name → what they say, when there is nothing to be said about them. Undefined for `--help` and for every
 * mistake: the full parser has the words for those, and is loaded only then. Both read the same specs.
 */
export function readPlainWords(verb: Verb, words: readonly string[]): PlainWords | undefined {
  const specs = [...verb.options, ...GLOBAL_OPTIONS];
  const flagsOf = new Map(specs.map(spec => [spec, readFlags(spec.flags)]));
  const options: ParseArgsOptionsConfig = {};
  for (const [spec, flags] of flagsOf) {
    if (flags === undefined) return undefined;
    const { name, short, takesValue, isNegation } = flags;
    options[isNegation ? `no-${name}` : name] = {
      type: takesValue ? 'string' : 'boolean',
      // Each value of a choice is looked at, also one that a later one replaces.
      multiple: spec.isRepeatable === true || spec.choices !== undefined,
      ...(short === undefined ? {} : { short }),
    };
  }
  const parsed = parsePlainly(words, options);
  if (parsed === undefined || !countFits(verb, parsed.positionals.length)) return undefined;
  const values: Record<string, OptionValues[string]> = {};
  for (const [spec, flags] of flagsOf) {
    if (flags === undefined) return undefined;
    const given = parsed.values[flags.isNegation ? `no-${flags.name}` : flags.name];
    if (!areChoices(spec, given)) return undefined;
    const value = spec.isRepeatable !== true && Array.isArray(given) ? given.at(-1) : given;
    const key = camelCase(flags.name);
    if (flags.isNegation) values[key] = value !== true;
    else if (value !== undefined) values[key] = value as OptionValues[string];
  }
  return { args: parsed.positionals, values };
}

/** `-n, --limit <count>` → its parts; undefined for a value that may be left out, which only the full parser knows. */
function readFlags(text: string): Flags | undefined {
  const [, short, negation, name, value] = /^(?:-(\w), )?--(no-)?([\w-]+)(?: (<.+>|\[.+\]))?$/.exec(text) ?? [];
  if (name === undefined || value?.startsWith('[') === true) return undefined;
  return { name, short, takesValue: value !== undefined, isNegation: negation !== undefined };
}

function parsePlainly(
  words: readonly string[],
  options: ParseArgsOptionsConfig,
): ReturnType<typeof parseArgs> | undefined {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch {
    return undefined;
  }
}

function countFits(verb: Verb, count: number): boolean {
  const least = verb.arguments.filter(({ isRequired }) => isRequired === true).length;
  const isOpen = verb.arguments.some(({ isVariadic }) => isVariadic === true);
  return count >= least && (isOpen || count <= verb.arguments.length);
}

function areChoices({ choices }: OptionSpec, given: unknown): boolean {
  if (choices === undefined || given === undefined) return true;
  return Array.isArray(given) && given.every(value => typeof value === 'string' && choices.includes(value));
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
