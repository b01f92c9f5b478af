import { parseDevpath } from '../../vocabulary/devpath.ts';
import type { Place, Problem } from '../../vocabulary/place.ts';
import { readToml } from '../../vocabulary/toml.ts';
import {
  ANSWER_SCOPES,
  subjectOf,
  type Answer,
  type Forbid,
  type Signature,
  type StandingDecisions,
  type Subject,
  type Trial,
} from './standing-decisions.ts';

/** Largest file read; ten thousand forbids have some 2 MB. */
export const DECISIONS_MAX_BYTES = 4 * 1024 * 1024;

/** What a file says, and what of it could not be used. */
export interface ParsedDecisions {
  readonly decisions: StandingDecisions;
  readonly problems: readonly Problem[];
  /** False when the text as a whole is no TOML: what could be read around the damage is there, and more may be missing. */
  readonly isWhole: boolean;
}

/**
 * Text of decisions.toml → the decisions, and problems with their line. Where it is no TOML, each of its tables is tried by itself, so
 * that one slip of a hand does not permit everything else. A forbid with a field that cannot be used stays a forbid, without the field.
 */
export function parseDecisions(text: string, file: string): ParsedDecisions {
  const problems: Problem[] = [];
  const tables: Table[] = [];
  const document = readToml(text, file);
  const isWhole = document.problem === undefined;
  if (document.problem === undefined) tables.push(...tablesOf(document.table, text, 0));
  else for (const block of blocksOf(text)) tables.push(...parseBlock(block, file, problems));
  const forbids: Forbid[] = [];
  const answers: Answer[] = [];
  for (const { kind, value, line } of tables) {
    const reader = new TableReader(value, { file, line }, problems);
    if (kind === 'forbid') forbids.push(...readForbid(reader));
    else if (kind === 'answer') answers.push(...readAnswer(reader));
    else if (kind !== 'version') reader.problem(`there is no "${kind}" here; there are forbid and answer`);
    else if (value['version'] !== 1) reader.problem(`version is ${shown(value['version'])}, wanted 1`);
  }
  return { decisions: { forbids, answers }, problems, isWhole };
}

interface Table {
  readonly kind: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly line: number;
}

/** A parsed document → its tables, each with the line of its header; `line0` lines stand before the text. */
function tablesOf(document: Readonly<Record<string, unknown>>, text: string, line0: number): readonly Table[] {
  return Object.entries(document).flatMap(([kind, value]): readonly Table[] => {
    const lines = headerLines(text, kind);
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.map((item, n) => ({
      kind,
      value: isTable(item) ? item : { [kind]: item },
      line: line0 + (lines[n] ?? lines[0] ?? 1),
    }));
  });
}

/** Lines, from 1, on which tables of this name, or a key of this name, begin. */
function headerLines(text: string, name: string): readonly number[] {
  return text.split('\n').flatMap((line, n) => {
    const word = line.replace(/^[\s[]+/, '').replaceAll('"', '');
    return word.startsWith(name) && /^\s*[\]=]/.test(word.slice(name.length)) ? [n + 1] : [];
  });
}

interface Block {
  readonly text: string;
  readonly line0: number;
}

/** A text cut before each line that begins with a bracket. */
function blocksOf(text: string): readonly Block[] {
  const blocks: { lines: string[]; line0: number }[] = [{ lines: [], line0: 0 }];
  for (const [n, line] of text.split('\n').entries()) {
    if (line.startsWith('[')) blocks.push({ lines: [], line0: n });
    blocks.at(-1)?.lines.push(line);
  }
  return blocks.map(({ lines, line0 }) => ({ text: lines.join('\n'), line0 }));
}

function parseBlock({ text, line0 }: Block, file: string, problems: Problem[]): readonly Table[] {
  const document = readToml(text, file, line0);
  if (document.problem === undefined) return tablesOf(document.table, text, line0);
  problems.push(document.problem);
  return [];
}

function readForbid(reader: TableReader): readonly Forbid[] {
  const named = (['module', 'alias'] as const).filter(key => reader.has(key));
  const [kind] = named;
  const subject = kind === undefined || named.length !== 1 ? undefined : readSubject(kind, reader.text(kind) ?? '');
  if (subject === undefined) {
    reader.problem('a forbid names no module and no alias pattern, wanted one of them');
    return [];
  }
  const [untilMs, trial, liftedFor] = [reader.time('until'), reader.trial('trial'), reader.trial('lifted')];
  // A trial that cannot be read has no end that could be kept: it counts as over.
  if (reader.has('trial') && trial === undefined) return [];
  const forbid: Forbid = {
    subject,
    reason: reader.text('reason') ?? '',
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(trial === undefined ? {} : { trial }),
    ...(liftedFor === undefined ? {} : { liftedFor }),
    ...reader.signature(),
    place: reader.place,
  };
  reader.refuseOthers(['module', 'alias', 'reason', 'until', 'trial', 'lifted', 'by', 'at']);
  return [forbid];
}

function readSubject(kind: 'module' | 'alias', text: string): Subject | undefined {
  const subject = subjectOf(text);
  return subject?.kind === 'module' && kind === 'alias' ? { kind, pattern: subject.module } : wanted(subject, kind);
}

function wanted(subject: Subject | undefined, kind: Subject['kind']): Subject | undefined {
  return subject?.kind === kind ? subject : undefined;
}

const ANSWER_FIELDS = 'verdict scope devpath modalias descriptors diskseq inode boot by at'.split(' ');

function readAnswer(reader: TableReader): readonly Answer[] {
  const verdict = reader.choice('verdict', ['allow', 'deny'] as const);
  const scope = reader.choice('scope', ANSWER_SCOPES);
  const devpath = parseDevpath(reader.text('devpath') ?? '');
  const seen = reader.optionalTexts(['modalias', 'descriptors', 'diskseq', 'inode']);
  if (verdict === undefined || scope === undefined || scope === 'once' || devpath === undefined) {
    reader.problem('an answer has no verdict, scope or devpath that can be used; it is left out');
    return [];
  }
  const bootId = reader.text('boot') ?? '';
  const answer: Answer = {
    verdict,
    scope,
    seen: { devpath, ...seen },
    bootId,
    ...reader.signature(),
    place: reader.place,
  };
  reader.refuseOthers(ANSWER_FIELDS);
  return [answer];
}

/** Takes typed fields out of one table, and notes what is not as it should be. */
class TableReader {
  readonly place: Place;
  readonly #table: Readonly<Record<string, unknown>>;
  readonly #problems: Problem[];

  constructor(table: Readonly<Record<string, unknown>>, place: Place, problems: Problem[]) {
    this.#table = table;
    this.place = place;
    this.#problems = problems;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  problem(message: string): void {
    this.#problems.push({ place: this.place, message });
  }

  text(key: string): string | undefined {
    return this.#take(key, 'a text', value => (typeof value === 'string' ? value : undefined));
  }

  time(key: string): number | undefined {
    return this.#take(key, 'a time as 2026-11-23T14:05:00Z', timeOf);
  }

  choice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    return this.#take(key, choices.join(', '), value => choices.find(choice => choice === value));
  }

  trial(key: string): Trial | undefined {
    return this.#take(key, '{ until = TIME, boot = "ID" }', value => {
      if (!isTable(value)) return undefined;
      const untilMs = timeOf(value['until']);
      const bootId = value['boot'];
      return untilMs === undefined || typeof bootId !== 'string' ? undefined : { untilMs, bootId };
    });
  }

  optionalTexts<Key extends string>(keys: readonly Key[]): Partial<Record<Key, string>> {
    const texts: Partial<Record<Key, string>> = {};
    for (const key of keys) {
      const value = this.text(key);
      if (value !== undefined) texts[key] = value;
    }
    return texts;
  }

  /** Who and when, as far as it is written; a line added by hand is root's, from the beginning. */
  signature(): Signature {
    const uid = this.#take('by', 'a user id', value => (typeof value === 'number' && value >= 0 ? value : undefined));
    return { uid: uid ?? 0, atMs: this.time('at') ?? 0 };
  }

  refuseOthers(known: readonly string[]): void {
    for (const key of Object.keys(this.#table))
      if (!known.includes(key)) this.problem(`there is no field "${key}"; there are ${known.join(', ')}`);
  }

  #take<Value>(key: string, what: string, read: (value: unknown) => Value | undefined): Value | undefined {
    if (!this.has(key)) return undefined;
    const value = read(this.#table[key]);
    if (value === undefined) this.problem(`${key} is ${shown(this.#table[key])}, wanted ${what}`);
    return value;
  }
}

function timeOf(value: unknown): number | undefined {
  if (!(value instanceof Date)) return undefined;
  const atMs = value.getTime();
  return Number.isNaN(atMs) ? undefined : atMs;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A value as a message shows it: its beginning. */
function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
