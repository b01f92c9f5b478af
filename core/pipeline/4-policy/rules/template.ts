import { SUBSTITUTIONS, type SubstitutionName, type SubstitutionSpec } from './language.ts';

/** A value with substitutions, taken apart: literal text, or something to fill in. */
export type TemplatePart = string | { readonly name: SubstitutionName; readonly attribute?: string };

export interface Template {
  readonly parts: readonly TemplatePart[];
  /** Set when there is nothing to fill in: the value as it will always be. */
  readonly text?: string;
  /** The first thing that looks like a substitution and is none; it stays as it is written. */
  readonly problem?: { readonly offset: number; readonly message: string };
}

type Spec = SubstitutionSpec & { readonly name: SubstitutionName };

/** `$name{attribute}`, `%x{attribute}`, `$$`, `%%` → parts. Source: udev(7), "string substitutions". */
export function parseTemplate(value: string): Template {
  const parts: TemplatePart[] = [];
  let literal = '';
  let problem: Template['problem'];
  for (let at = 0; at < value.length;) {
    const sign = value.charAt(at);
    if (sign !== '$' && sign !== '%') {
      literal += sign;
      at += 1;
      continue;
    }
    if (value.charAt(at + 1) === sign) {
      literal += sign;
      at += 2;
      continue;
    }
    const read = readSubstitution(value, at);
    if (typeof read === 'string') {
      problem ??= { offset: at, message: read };
      literal += sign;
      at += 1;
      continue;
    }
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(read.part);
    at = read.end;
  }
  if (literal !== '') parts.push(literal);
  const isLiteral = parts.every(part => typeof part === 'string');
  return {
    parts,
    ...(isLiteral ? { text: parts.join('') } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}

function readSubstitution(value: string, at: number): { part: TemplatePart; end: number } | string {
  const isLong = value.charAt(at) === '$';
  const specs: readonly Spec[] = SUBSTITUTIONS;
  const spec = specs.find(({ name, letter }) =>
    isLong ? value.startsWith(name, at + 1) : letter === value.charAt(at + 1),
  );
  if (spec === undefined) {
    const found = value.slice(at, at + 12);
    return `"${found}" begins no substitution; ${isLong ? '$$' : '%%'} is the sign itself`;
  }
  const behind = at + 1 + (isLong ? spec.name.length : 1);
  const close = value.charAt(behind) === '{' ? value.indexOf('}', behind) : -1;
  if (value.charAt(behind) === '{' && close < 0) return `the { of $${spec.name} is never closed`;
  const attribute = close < 0 ? undefined : value.slice(behind + 1, close);
  if (spec.attribute === 'required' && (attribute ?? '') === '') return `$${spec.name} needs a name in braces`;
  if (spec.name === 'result' && attribute !== undefined && !/^[0-9]{1,4}\+?$/.test(attribute)) {
    return `$result{${attribute.slice(0, 20)}} wants the number of a word, with a + for all from there on`;
  }
  return {
    part: { name: spec.name, ...(attribute === undefined ? {} : { attribute }) },
    end: close < 0 ? behind : close + 1,
  };
}
