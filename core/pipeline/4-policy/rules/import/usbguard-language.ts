import type { Problem } from '../../../../vocabulary/place.ts';

/** How the values of one attribute have to meet those of the device. Source: usbguard-rules.conf(5). */
export const SET_OPERATORS = ['all-of', 'one-of', 'none-of', 'equals', 'equals-ordered', 'match-all'] as const;
export type SetOperator = (typeof SET_OPERATORS)[number];

export const USBGUARD_ATTRIBUTES = [
  'id',
  'name',
  'serial',
  'hash',
  'parent-hash',
  'via-port',
  'with-interface',
  'with-connect-type',
  'label',
] as const;
export type UsbguardAttribute = (typeof USBGUARD_ATTRIBUTES)[number];

export interface UsbguardValues {
  readonly operator: SetOperator;
  readonly values: readonly string[];
}

/** One line of rules.conf. */
export interface UsbguardRule {
  readonly line: number;
  readonly target: 'allow' | 'block' | 'reject';
  readonly attributes: ReadonlyMap<UsbguardAttribute, UsbguardValues>;
  /** `localtime(08:00-17:00)`, `!rule-applied`, as written. */
  readonly conditions: UsbguardValues | undefined;
}

interface Token {
  readonly text: string;
  readonly isString: boolean;
}

/** A value longer than any descriptor's string is none. */
const LINE_MAX_CHARACTERS = 64 * 1024;

/** Text of a USBGuard rule file → its rules; lines that are none are problems. Source: usbguard-rules.conf(5). */
export function parseUsbguard(
  text: string,
  file: string,
): { rules: readonly UsbguardRule[]; problems: readonly Problem[] } {
  const rules: UsbguardRule[] = [];
  const problems: Problem[] = [];
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const rule =
      line.length > LINE_MAX_CHARACTERS
        ? `the line is longer than ${LINE_MAX_CHARACTERS} characters`
        : parseLine(line, n + 1);
    if (typeof rule === 'string') problems.push({ place: { file, line: n + 1 }, message: rule });
    else rules.push(rule);
  }
  return { rules, problems };
}

function parseLine(line: string, number: number): UsbguardRule | string {
  const tokens = tokensOf(line);
  if (typeof tokens === 'string') return tokens;
  const [first, ...rest] = tokens;
  const target = first?.text;
  if (target !== 'allow' && target !== 'block' && target !== 'reject') {
    return `found "${target ?? ''}", wanted allow, block or reject`;
  }
  const attributes = new Map<UsbguardAttribute, UsbguardValues>();
  let conditions: UsbguardValues | undefined;
  let at = 0;
  // `allow 1234:5678` is the short form of `allow id 1234:5678`.
  if (rest[0] !== undefined && /^[0-9a-fA-F*]{1,4}:[0-9a-fA-F*]{1,4}$/.test(rest[0].text) && !rest[0].isString) {
    attributes.set('id', { operator: 'equals', values: [rest[0].text] });
    at = 1;
  }
  while (at < rest.length) {
    const name = rest[at]?.text ?? '';
    const read = readValues(rest, at + 1);
    if (typeof read === 'string') return `${name}: ${read}`;
    if (name === 'if') conditions = read;
    else if (isAttribute(name)) {
      if (attributes.has(name)) return `${name} stands twice`;
      attributes.set(name, read);
    } else return `found "${name.slice(0, 40)}", wanted one of ${USBGUARD_ATTRIBUTES.join(', ')} or if`;
    at = read.end;
  }
  return { line: number, target, attributes, conditions };
}

function isAttribute(name: string): name is UsbguardAttribute {
  return USBGUARD_ATTRIBUTES.some(attribute => attribute === name);
}

/** `VALUE`, `{ VALUE… }` or `one-of { VALUE… }`. */
function readValues(tokens: readonly Token[], from: number): (UsbguardValues & { end: number }) | string {
  const named = SET_OPERATORS.find(operator => operator === tokens[from]?.text);
  const open = named === undefined ? from : from + 1;
  const first = tokens[open];
  if (first === undefined) return 'the line ends where a value was wanted';
  if (first.isString || first.text !== '{') {
    return named === undefined
      ? { operator: 'equals', values: [first.text], end: open + 1 }
      : `found "${first.text}" behind ${named}, wanted {`;
  }
  const close = tokens.findIndex((token, n) => n > open && !token.isString && token.text === '}');
  if (close < 0) return 'the { is never closed';
  const values = tokens.slice(open + 1, close).map(({ text }) => text);
  return values.length === 0
    ? 'nothing stands between { and }'
    : { operator: named ?? 'equals', values, end: close + 1 };
}

function tokensOf(line: string): readonly Token[] | string {
  const tokens: Token[] = [];
  for (let at = 0; at < line.length;) {
    const sign = line.charAt(at);
    if (/\s/.test(sign)) at++;
    else if (sign === '"') {
      let text = '';
      for (at++; at < line.length && line.charAt(at) !== '"'; at++) {
        if (line.charAt(at) === '\\') at++;
        text += line.charAt(at);
      }
      if (at >= line.length) return 'a text has no closing quote';
      tokens.push({ text, isString: true });
      at++;
    } else if (sign === '{' || sign === '}') {
      tokens.push({ text: sign, isString: false });
      at++;
    } else {
      // A condition's words in brackets belong to it.
      const end = wordEnd(line, at);
      tokens.push({ text: line.slice(at, end), isString: false });
      at = end;
    }
  }
  return tokens;
}

function wordEnd(line: string, from: number): number {
  let depth = 0;
  let at = from;
  for (; at < line.length; at++) {
    const sign = line.charAt(at);
    if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    else if (depth <= 0 && /[\s{}"]/.test(sign)) break;
  }
  return at;
}
