import { assertNever } from '../../../vocabulary/assert-never.ts';
import { PATH_MAX_BYTES } from './language.ts';
import type { Evaluation } from './evaluation.ts';
import { INPUT_CHARS, replaceUnsafe, replaceWhitespace, trimEnd } from './safe-text.ts';
import type { Template, TemplatePart } from './template.ts';

/**
 * A value → the same with everything filled in; undefined when it grows beyond its bound, and then it is not used at all.
 * @param joinsWords white space in what is filled in becomes `_`: a link's name must not fall apart because a product's name has a blank
 */
export function expandTemplate(
  { parts, text }: Template,
  evaluation: Evaluation,
  { maxBytes = PATH_MAX_BYTES, joinsWords = false }: { readonly maxBytes?: number; readonly joinsWords?: boolean } = {},
): string | undefined {
  if (text !== undefined) return text.length < maxBytes ? text : undefined;
  let expanded = '';
  for (const part of parts) {
    if (typeof part === 'string') expanded += part;
    else {
      const value = substitute(part, evaluation);
      if (value === undefined) return undefined;
      expanded += joinsWords && part.name !== 'result' ? replaceWhitespace(value) : value;
    }
  }
  return expanded.length < maxBytes ? expanded : undefined;
}

function substitute(
  { name, attribute = '' }: Exclude<TemplatePart, string>,
  evaluation: Evaluation,
): string | undefined {
  const { device, chosen, properties, context } = evaluation;
  switch (name) {
    case 'devnode':
    case 'tempnode':
      return properties.get('DEVNAME') ?? '';
    case 'attr':
    case 'sysfs':
      return attributeText(attribute, evaluation);
    case 'env':
      return properties.get(attribute) ?? '';
    case 'kernel':
      return device.sysname;
    case 'number':
      return sysNumber(device.sysname);
    case 'driver':
      return chosen?.driver ?? '';
    case 'devpath':
      return device.devpath;
    case 'id':
      return chosen?.sysname ?? '';
    case 'major':
      return properties.get('MAJOR') ?? '0';
    case 'minor':
      return properties.get('MINOR') ?? '0';
    case 'result':
      return resultWords(evaluation.programResult ?? '', attribute);
    case 'parent':
      return device.parent?.uevent['DEVNAME'] ?? '';
    case 'name':
      return evaluation.name.value ?? nodeName(evaluation) ?? device.sysname;
    case 'links':
      return [...evaluation.links].join(' ');
    case 'root':
      return context.devRoot;
    case 'sys':
      return context.sysRoot;
    default:
      return assertNever(name);
  }
}

/** The node's name below /dev, or undefined. */
export function nodeName({ properties, context }: Evaluation): string | undefined {
  const devname = properties.get('DEVNAME');
  return devname?.startsWith(`${context.devRoot}/`) === true ? devname.slice(context.devRoot.length + 1) : devname;
}

/** `[subsystem/name]rest` in its parts, or undefined. */
export function otherDevice(text: string): { subsystem: string; sysname: string; rest: string } | undefined {
  const [, subsystem, sysname, rest] = /^\[([^/\]]+)\/([^\]]+)\]\/?(.*)$/s.exec(text) ?? [];
  return subsystem === undefined || sysname === undefined || rest === undefined
    ? undefined
    : { subsystem, sysname, rest };
}

/** The value of `[subsystem/name]attribute`; undefined when there is no such device, empty when it has no such attribute. */
export function otherAttribute(text: string, evaluation: Evaluation): string | undefined {
  const other = otherDevice(text);
  const device = other && evaluation.otherDevice(other.subsystem, other.sysname);
  return device === undefined ? undefined : (device.attribute(other?.rest ?? '') ?? '');
}

function attributeText(name: string, evaluation: Evaluation): string | undefined {
  const { device, chosen } = evaluation;
  const value = otherAttribute(name, evaluation) ?? device.attribute(name) ?? chosen?.attribute(name);
  if (value === undefined) return '';
  if (value.length >= PATH_MAX_BYTES) return undefined;
  return replaceUnsafe(trimEnd(value), INPUT_CHARS);
}

/** The digits at the end of a device's name. */
export function sysNumber(sysname: string): string {
  let start = sysname.length;
  while (start > 0 && /[0-9]/.test(sysname.charAt(start - 1))) start -= 1;
  return sysname.slice(start);
}

function resultWords(result: string, attribute: string): string {
  const number = Number.parseInt(attribute, 10);
  if (!(number > 0)) return result;
  const words = [...result.matchAll(/\S+/g)];
  const word = words[number - 1];
  if (word === undefined) return '';
  return attribute.endsWith('+') ? result.slice(word.index) : word[0];
}
