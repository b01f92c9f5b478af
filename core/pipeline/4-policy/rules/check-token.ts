import { ACTIONS } from '../../1-intake/uevent.ts';
import { isPlausibleModuleName } from '../../../vocabulary/module-name.ts';
import type { RulePair } from './lex-rule.ts';
import { BUILTINS, FIXED_PROPERTIES, KEYS, keySpec, RULE_OPTIONS, type KeySpec } from './language.ts';
import type { RuleSeverity } from './rule.ts';
import { parseTemplate } from './template.ts';

/** Something wrong with one pair. `at` says on which part of it. */
export interface PairProblem {
  readonly severity: RuleSeverity;
  readonly message: string;
  readonly at: 'key' | 'value';
  /** Characters into the value. */
  readonly offset?: number;
  readonly suggestion?: string;
}

/** Verdicts a rule can give; `replace` is MODULE=. */
export const RULE_VERDICTS: readonly string[] = ['deny', 'hold', 'allow'];

/** Where a rule's question can come from. */
export const ORIGINS: readonly string[] = [
  'kernel',
  'udev',
  'coldplug',
  'resync',
  'replay',
  'injected',
  'request',
  'administrator',
];

/**
 * One pair → what is wrong with it. An `error` takes the whole rule out, as udev does; a `warning` leaves it in.
 * Source: udev(7); systemd-udevd says the same of the same files, but for our own keys.
 */
export function checkPair(pair: RulePair): readonly PairProblem[] {
  const spec = keySpec(pair.key);
  if (spec === undefined) return [unknownKey(pair.key)];
  const fatal = attributeProblem(pair, spec) ?? operatorProblem(pair, spec);
  if (fatal !== undefined && fatal.severity === 'error') return [fatal];
  return [...(fatal === undefined ? [] : [fatal]), ...valueProblems(pair, spec)];
}

function unknownKey(key: string): PairProblem {
  const near = nearest(
    key.toUpperCase(),
    KEYS.map(({ name }) => name),
  );
  const message = `there is no key "${key.slice(0, 40)}"`;
  return { severity: 'error', at: 'key', message, ...(near === undefined ? {} : { suggestion: near }) };
}

function attributeProblem({ key, attribute }: RulePair, spec: KeySpec): PairProblem | undefined {
  const error = (message: string, suggestion?: string): PairProblem => ({
    severity: 'error',
    at: 'key',
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  if (spec.attribute === undefined) {
    return attribute === undefined ? undefined : error(`${key} takes nothing in braces, found {${attribute}}`, key);
  }
  const { isRequired, what, choices } = spec.attribute;
  if ((attribute ?? '') === '') return isRequired ? error(`${key} wants a ${what} in braces: ${key}{…}`) : undefined;
  if (attribute !== undefined && choices !== undefined && !choices.includes(attribute)) {
    const near = nearest(attribute, choices);
    return error(`${key} knows no {${attribute}}, only ${choices.join(', ')}`, near && `${key}{${near}}`);
  }
  if (key === 'TEST' && !/^[0-7]{1,4}$/.test(attribute ?? '')) {
    return error(`TEST wants an octal mode mask in braces, found {${attribute}}`);
  }
  return undefined;
}

function operatorProblem(pair: RulePair, spec: KeySpec): PairProblem | undefined {
  const { key, operator, attribute } = pair;
  const isMatch = operator === '==' || operator === '!=';
  const name = attribute === undefined ? key : `${key}{${attribute}}`;
  if (isMatch) {
    if (spec.matches) return undefined;
    const wanted = spec.assigns.join(' ');
    const message = `${key} can only be assigned, wanted one of ${wanted}, found ${operator}`;
    return { severity: 'error', at: 'key', message, suggestion: `${name}=${pair.literal}` };
  }
  if (pair.prefix.includes('i')) {
    return { severity: 'error', at: 'value', message: `the prefix i is for == and !=, not for ${operator}` };
  }
  if (spec.runs === true && operator !== '-=') return undefined;
  if (spec.assigns.includes(operator)) return undefined;
  if (spec.assigns.length === 0) {
    const message = `${key} can only be matched, wanted == or !=, found ${operator}`;
    return { severity: 'error', at: 'key', message, suggestion: `${name}==${pair.literal}` };
  }
  const message = `${key} cannot be used with ${operator}, wanted one of ${spec.assigns.join(' ')}`;
  const isFatal = operator === '-=' || spec.isOurs === true || key === 'GOTO' || key === 'LABEL';
  if (isFatal) return { severity: 'error', at: 'key', message };
  return { severity: 'warning', at: 'key', message: `${message}; taken as =`, suggestion: `${name}=${pair.literal}` };
}

/** Keys whose value is filled in. */
const FILLED: ReadonlySet<string> = new Set([
  'NAME',
  'SYMLINK',
  'ATTR',
  'SYSCTL',
  'ENV',
  'TAG',
  'TEST',
  'PROGRAM',
  'IMPORT',
  'OWNER',
  'GROUP',
  'MODE',
  'SECLABEL',
  'RUN',
  'MODULE',
  'REASON',
  'OPTIONS',
  'DRIVER_OVERRIDE',
]);

function valueProblems(pair: RulePair, spec: KeySpec): PairProblem[] {
  const problems: PairProblem[] = [];
  const isMatch = pair.operator === '==' || pair.operator === '!=';
  const fills = FILLED.has(pair.key) && (!isMatch || spec.runs === true || pair.key === 'TEST');
  if (fills) {
    const { problem } = parseTemplate(pair.value);
    if (problem !== undefined) problems.push({ severity: 'warning', at: 'value', ...problem });
  }
  const found = isMatch && spec.runs !== true ? matchProblem(pair) : assignProblem(pair);
  if (found !== undefined) problems.push({ at: 'value', ...found });
  return problems;
}

type ValueProblem = Omit<PairProblem, 'at'>;

function matchProblem({ key, attribute = '', value }: RulePair): ValueProblem | undefined {
  const warning = (message: string, suggestion?: string): ValueProblem => ({
    severity: 'warning',
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  const plain = (known: readonly string[]): ValueProblem | undefined => {
    const unknown = value.split('|').find(word => /^[a-z_-]+$/i.test(word) && !known.includes(word));
    if (unknown === undefined) return undefined;
    const near = nearest(unknown, known);
    return warning(`${key} is never "${unknown}"; it is one of ${known.join(', ')}`, near);
  };
  switch (key) {
    case 'ACTION':
      return plain(ACTIONS);
    case 'ORIGIN':
      return plain(ORIGINS);
    case 'SUBSYSTEM':
      return value === 'bus' || value === 'class'
        ? warning(`SUBSYSTEM "${value}" is called "subsystem"`, '"subsystem"')
        : undefined;
    case 'ATTRS':
      if (attribute.startsWith('device/')) return warning('the device link may go; name the attribute of the parent');
      return attribute.includes('../') ? warning('../ leaves the device; ATTRS looks upwards by itself') : undefined;
    case 'TEST':
      return value === '' ? { severity: 'error', message: 'TEST wants a path' } : undefined;
    default:
      return undefined;
  }
}

function assignProblem(pair: RulePair): ValueProblem | undefined {
  const { key, attribute = '', value } = pair;
  const error = (message: string, suggestion?: string): ValueProblem => ({
    severity: 'error',
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  switch (key) {
    case 'NAME':
      if (value === '%k' || value === '$kernel') return error(`NAME=${pair.literal} says nothing: it has that name`);
      return value === '' ? error('NAME is empty; an interface cannot be without a name') : undefined;
    case 'ENV':
      return FIXED_PROPERTIES.has(attribute) ? error(`ENV{${attribute}} cannot be set: the kernel says it`) : undefined;
    case 'TAG':
    case 'PROGRAM':
      return value === '' ? error(`${key} wants a value, found ""`) : undefined;
    case 'MODE':
      return /[$%]/.test(value) || /^[0-7]{1,4}$/.test(value)
        ? undefined
        : { severity: 'warning', message: `MODE wants an octal number, found "${value}"` };
    case 'IMPORT':
      if (value === '') return error('IMPORT wants a value, found ""');
      return attribute === 'builtin' ? builtinProblem(value) : undefined;
    case 'RUN':
      return attribute === 'builtin' ? builtinProblem(value) : undefined;
    case 'OPTIONS':
      return attribute === 'module' ? undefined : optionProblem(value);
    case 'VERDICT':
      if (RULE_VERDICTS.includes(value)) return undefined;
      return error(
        `VERDICT is one of ${RULE_VERDICTS.join(', ')}, found "${value}"`,
        quoted(nearest(value, RULE_VERDICTS)),
      );
    case 'MODULE':
      return /[$%]/.test(value) || isPlausibleModuleName(value)
        ? undefined
        : error(`"${value.slice(0, 40)}" is no name a module can have`);
    case 'DRIVER_OVERRIDE':
      return /[\n/]/.test(value) ? error('a driver has no / and no line break in its name') : undefined;
    case 'GOTO':
    case 'LABEL':
      return value === '' ? error(`${key} wants a name, found ""`) : undefined;
    default:
      return undefined;
  }
}

function builtinProblem(value: string): ValueProblem | undefined {
  const name = value.split(/\s/, 1)[0] ?? '';
  const names = BUILTINS.map(builtin => builtin.name);
  if (names.includes(name)) return undefined;
  const near = nearest(name, names);
  const message = `there is no builtin "${name}"; there are ${names.join(', ')}`;
  return { severity: 'error', message, ...(near === undefined ? {} : { suggestion: near }) };
}

function optionProblem(value: string): ValueProblem | undefined {
  const [name = '', rest] = value.split(/=(.*)/s, 2);
  const option = RULE_OPTIONS.find(candidate => candidate.name === name);
  if (option === undefined || (option.value === undefined) !== (rest === undefined)) {
    const near = nearest(
      name,
      RULE_OPTIONS.map(candidate => candidate.name),
    );
    const message = `OPTIONS does not know "${value.slice(0, 60)}", which is left out`;
    return { severity: 'warning', message, ...(near === undefined || near === name ? {} : { suggestion: near }) };
  }
  if (name === 'link_priority' && !/^[+-]?[0-9]{1,9}$/.test(rest ?? '')) {
    return { severity: 'error', message: `link_priority wants a whole number, found "${rest}"` };
  }
  if (name === 'string_escape' && rest !== 'none' && rest !== 'replace') {
    return { severity: 'warning', message: `string_escape is none or replace, found "${rest}"` };
  }
  return undefined;
}

function quoted(word: string | undefined): string | undefined {
  return word === undefined ? undefined : `"${word}"`;
}

/** The word of a list that is at most two changes away from this one, or undefined. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map(candidate => ({ candidate, distance: distance(word.slice(0, 40), candidate) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= Math.min(2, Math.floor(near.candidate.length / 2))
    ? near.candidate
    : undefined;
}

/** Characters to change, add or take away (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] ?? 0) + (a.charAt(i) === b.charAt(j) ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
