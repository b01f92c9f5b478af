import { OPERATORS, type Operator } from './language.ts';

/** `KEY{attribute}OPERATOR"value"`, with the offsets of its parts in the logical line. */
export interface RulePair {
  readonly key: string;
  readonly attribute?: string;
  readonly operator: Operator;
  readonly value: string;
  /** The value as written, with its prefix and quotes. */
  readonly literal: string;
  readonly prefix: string;
  readonly offset: number;
  readonly valueOffset: number;
  /** Offset behind the closing quote. */
  readonly end: number;
}

/** What could not be read, and where; the rest of the line is left out. */
export interface LexFailure {
  readonly offset: number;
  readonly message: string;
  readonly suggestion?: string;
}

export interface LexedRule {
  readonly pairs: readonly RulePair[];
  readonly failure?: LexFailure;
}

const BLANK = /[ \t\n\r\v\f]/;
const KEY_END = /[ \t\n\r\v\f"={+\-!:,}]/;

/** A logical line → its pairs, up to the first thing that is none. Each character is looked at once. */
export function lexRule(text: string): LexedRule {
  const pairs: RulePair[] = [];
  let at = skip(text, 0, true);
  while (at < text.length) {
    const pair = lexPair(text, at);
    if ('message' in pair) return { pairs, failure: pair };
    pairs.push(pair);
    at = skip(text, pair.end, true);
  }
  return { pairs };
}

function lexPair(text: string, offset: number): RulePair | LexFailure {
  let at = offset;
  while (at < text.length && !KEY_END.test(text.charAt(at))) at++;
  const key = text.slice(offset, at);
  if (key === '') return { offset, message: `found ${shown(text, offset)}, wanted a key` };
  let attribute: string | undefined;
  if (text.charAt(at) === '{') {
    const close = text.indexOf('}', at);
    if (close < 0) return { offset: at, message: `the { behind ${key} is never closed` };
    attribute = text.slice(at + 1, close);
    at = close + 1;
  }
  at = skip(text, at, false);
  const operator = OPERATORS.find(candidate => text.startsWith(candidate, at));
  if (operator === undefined) {
    const found = at < text.length ? `found ${shown(text, at)}` : 'the line ends';
    return { offset: at, message: `${found} behind ${key}, wanted one of ${OPERATORS.join(' ')}` };
  }
  at = skip(text, at + operator.length, false);
  const value = lexValue(text, at);
  if ('message' in value) return value;
  const written = attribute === undefined ? {} : { attribute };
  return { key, ...written, operator, ...value, offset, valueOffset: at };
}

type Value = Pick<RulePair, 'value' | 'literal' | 'prefix' | 'end'>;

function lexValue(text: string, offset: number): Value | LexFailure {
  let open = offset;
  while (open < text.length && /[ei]/.test(text.charAt(open)) && open < offset + 2) open++;
  const prefix = text.slice(offset, open);
  if (text.charAt(open) !== '"') {
    const word = /^[^ \t,"]*/.exec(text.slice(offset))?.[0] ?? '';
    const suggestion = word === '' || word.length > 80 ? {} : { suggestion: `"${word.replace(/^'|'$/g, '')}"` };
    const found = offset < text.length ? `found ${shown(text, offset)}` : 'the line ends';
    return { offset, message: `${found} where a value in double quotes was wanted`, ...suggestion };
  }
  if (prefix === 'ee' || prefix === 'ii') return { offset, message: `the prefix ${prefix} stands twice` };
  const isEscaped = prefix.includes('e');
  let value = '';
  let at = open + 1;
  for (; at < text.length && text.charCodeAt(at) !== 0x22; at++) {
    if (text.charCodeAt(at) !== 0x5c) value += text.charAt(at);
    else if (isEscaped) {
      const escape = readEscape(text, at);
      if (escape === undefined) {
        return {
          offset: at,
          message: `found ${shown(text, at)}, wanted an escape of C: \\n, \\t, \\x41, \\101, \\u00e9`,
        };
      }
      value += escape.text;
      at += escape.length - 1;
    } else if (text.charCodeAt(at + 1) === 0x22) value += text.charAt(++at);
    else value += '\\';
  }
  if (at >= text.length) return { offset: open, message: 'the value that begins here has no closing quote' };
  return { value, literal: text.slice(offset, at + 1), prefix, end: at + 1 };
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** One escape of C. NUL cannot be in a value. Source: systemd, cunescape. */
function readEscape(text: string, at: number): { text: string; length: number } | undefined {
  const simple = SIMPLE[text.charAt(at + 1)];
  if (simple !== undefined) return { text: simple, length: 2 };
  const found =
    /^\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text.slice(at, at + 10)) ?? [];
  const [whole, hex, octal, short, long] = found;
  if (whole === undefined) return undefined;
  const code = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
  if (!(code > 0 && code <= 0x10_ffff) || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { text: String.fromCodePoint(code), length: whole.length };
}

/** Behind the blanks from here on, and behind commas where they are between pairs. */
function skip(text: string, from: number, commasToo: boolean): number {
  const isSkipped = (sign: string): boolean => BLANK.test(sign) || (commasToo && sign === ',');
  let at = from;
  while (at < text.length && isSkipped(text.charAt(at))) at++;
  return at;
}

/** A little of the text, in quotes. */
function shown(text: string, at: number): string {
  const piece = text.slice(at, at + 20);
  return JSON.stringify(at + 20 < text.length ? `${piece}…` : piece);
}
