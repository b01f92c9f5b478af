import { readFileSync } from 'node:fs';
import { stringify } from 'smol-toml';
import { UsherdError } from '../../errors.ts';
import { formatProblem } from '../../vocabulary/place.ts';
import { readToml } from '../../vocabulary/toml.ts';

/** What a plugin said, or must say, of one module that a device of a recording wanted. */
export interface ExpectedOpinion {
  readonly device: string;
  readonly module: string;
  readonly verdict: string;
  /** With `replace`: the module in place of it. */
  readonly replacement?: string;
  readonly reason: string;
}

/** Opinions in the order of the recording → a file that is read back as they are, and that a person can read. */
export function writeExpected(recording: string, opinions: readonly ExpectedOpinion[]): string {
  const head = `# What the plugin must say to ${recording}. usher plugin test --update writes it anew: read it before you keep it.\n`;
  return opinions.length === 0 ? `${head}\nopinions = []\n` : `${head}\n${stringify({ opinions }).trimEnd()}\n`;
}

/**
 * Reads what was expected; undefined when there is no such file.
 * @throws {UsherdError} FILE_UNREADABLE, PLUGIN_TEST_DAMAGED
 */
export function readExpected(file: string): readonly ExpectedOpinion[] | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
  return parseExpected(text, file);
}

/** Text of an expected.toml → the opinions in it. @throws {UsherdError} PLUGIN_TEST_DAMAGED */
export function parseExpected(text: string, file: string): readonly ExpectedOpinion[] {
  const damaged = (message: string): UsherdError =>
    new UsherdError('PLUGIN_TEST_DAMAGED', `${file}: ${message}`, { file });
  const document = readToml(text, file);
  if (document.problem !== undefined)
    throw new UsherdError('PLUGIN_TEST_DAMAGED', formatProblem(document.problem), { file });
  const { opinions } = document.table;
  if (!Array.isArray(opinions)) throw damaged('wanted a list "opinions", one table for each');
  return opinions.map((value: unknown, index) => {
    if (!isOpinion(value))
      throw damaged(`opinions ${index + 1}: wanted device, module, verdict and reason, and replacement at most`);
    const { device, module, verdict, replacement, reason } = value;
    return { device, module, verdict, ...(replacement === undefined ? {} : { replacement }), reason };
  });
}

const KEYS = ['device', 'module', 'verdict', 'replacement', 'reason'] as const;

function isOpinion(value: unknown): value is ExpectedOpinion {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.entries(value);
  const isKnown = entries.every(([key, text]) => KEYS.some(known => known === key) && typeof text === 'string');
  return isKnown && KEYS.every(key => key === 'replacement' || key in value);
}

/**
 * Two lists → lines of a difference in the manner of diff(1): `-` was expected, `+` was said, two spaces before what is the same. Empty
 * when they are equal.
 */
export function diffOpinions(wanted: readonly ExpectedOpinion[], found: readonly ExpectedOpinion[]): readonly string[] {
  const [before, after] = [wanted.map(lineOf), found.map(lineOf)];
  if (before.join('\n') === after.join('\n')) return [];
  const common = longestCommon(before, after);
  const lines: string[] = [];
  let [at, to] = [0, 0];
  for (const line of [...common, undefined]) {
    while (at < before.length && before[at] !== line) lines.push(`- ${before[at++] ?? ''}`);
    while (to < after.length && after[to] !== line) lines.push(`+ ${after[to++] ?? ''}`);
    if (line !== undefined) lines.push(`  ${line}`);
    at += 1;
    to += 1;
  }
  return lines;
}

function lineOf({ device, module, verdict, replacement, reason }: ExpectedOpinion): string {
  const by = replacement === undefined ? '' : ` by ${replacement}`;
  return `${device} ${module}: ${verdict}${by}, ${reason}`;
}

/** More lines than this are compared one by one, in order: the table below grows with their square. */
const TABLE_LINES_MAX = 2000;

/** The longest list of lines that both have in this order. */
function longestCommon(before: readonly string[], after: readonly string[]): readonly string[] {
  if (before.length > TABLE_LINES_MAX || after.length > TABLE_LINES_MAX)
    return before.filter((line, index) => after[index] === line);
  const rest = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  const at = (i: number, j: number): number => rest[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = rest[i];
      if (row !== undefined)
        row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const common: string[] = [];
  for (let [i, j] = [0, 0]; i < before.length && j < after.length;) {
    if (before[i] === after[j]) {
      common.push(before[i] ?? '');
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return common;
}
