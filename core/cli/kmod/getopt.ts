/** One option of a tool: the words it is given by, and what --help says of it. */
export interface OptionRow {
  /** By what the tool asks for it. */
  readonly name: string;
  readonly short?: string;
  /** Long spellings, the first of which --help shows first. None for an option that is only a letter. */
  readonly long: readonly string[];
  /** Name of its value in --help; an option without one takes none. */
  readonly value?: string;
  readonly help: string;
  /** Not of kmod: must be written out, so that prefixes of kmod's own options mean what they always did. */
  readonly isOurs?: boolean;
  /** Not shown by --help. */
  readonly isHidden?: boolean;
}

/** One option as it was given, in the order of the command line. */
export interface GivenOption {
  readonly name: string;
  readonly value: string | undefined;
}

/** A command line, taken apart. */
export interface ParsedWords {
  readonly given: readonly GivenOption[];
  /** Words that are no options, in order. */
  readonly operands: readonly string[];
  /** Why reading ended early, in the words of glibc. Options before it were read. */
  readonly refusal: string | undefined;
}

/**
 * Words → options and operands, as getopt_long(3) of glibc takes them: long options by any unique prefix, `--name=value` and
 * `--name value`, grouped letters, `-Cvalue`, operands anywhere unless `isStrict` (then the first operand ends the options),
 * `--` ends them. Reading stops at the first word that is not understood, with glibc's sentence for it.
 */
export function parseWords(words: readonly string[], rows: readonly OptionRow[], isStrict = false): ParsedWords {
  const given: GivenOption[] = [];
  const operands: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') return { given, operands: [...operands, ...queue], refusal: undefined };
    if (word === '-' || !word.startsWith('-')) {
      if (isStrict) return { given, operands: [word, ...queue], refusal: undefined };
      operands.push(word);
      continue;
    }
    const refusal = word.startsWith('--') ? takeLong(word, queue, rows, given) : takeShort(word, queue, rows, given);
    if (refusal !== undefined) return { given, operands, refusal };
  }
  return { given, operands, refusal: undefined };
}

function takeLong(word: string, queue: string[], rows: readonly OptionRow[], given: GivenOption[]): string | undefined {
  const equals = word.indexOf('=');
  const asked = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const spelled = rows.flatMap(row => row.long.map(long => ({ row, long })));
  const exact = spelled.find(({ long }) => long === asked);
  const near = exact ? [exact] : spelled.filter(({ row, long }) => row.isOurs !== true && long.startsWith(asked));
  const found = near[0];
  if (found === undefined) return `unrecognized option '--${asked}'`;
  if (near.some(({ row }) => row !== found.row)) {
    const names = near.map(({ long }) => `'--${long}'`).join(' ');
    return `option '${word}' is ambiguous; possibilities: ${names}`;
  }
  const { row, long } = found;
  if (row.value === undefined) {
    if (equals >= 0) return `option '--${long}' doesn't allow an argument`;
    given.push({ name: row.name, value: undefined });
    return undefined;
  }
  const value = equals < 0 ? queue.shift() : word.slice(equals + 1);
  if (value === undefined) return `option '--${long}' requires an argument`;
  given.push({ name: row.name, value });
  return undefined;
}

function takeShort(
  word: string,
  queue: string[],
  rows: readonly OptionRow[],
  given: GivenOption[],
): string | undefined {
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const row = rows.find(({ short }) => short === letter);
    if (row === undefined) return `invalid option -- '${letter}'`;
    if (row.value === undefined) {
      given.push({ name: row.name, value: undefined });
      continue;
    }
    const rest = word.slice(at + 1);
    const value = rest === '' ? queue.shift() : rest;
    if (value === undefined) return `option requires an argument -- '${letter}'`;
    given.push({ name: row.name, value });
    return undefined;
  }
  return undefined;
}
