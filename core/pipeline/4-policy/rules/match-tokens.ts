import path from 'node:path';
import type { FixedKey } from './compiled-rule.ts';
import type { Evaluation } from './evaluation.ts';
import { expandTemplate, nodeName, otherAttribute, otherDevice } from './expand.ts';
import { compilePattern, type TextTest } from './pattern.ts';
import type { RuleToken } from './rule.ts';
import type { RuleDevice } from './rule-context.ts';
import { trimEnd } from './safe-text.ts';
import { sysctlPath } from './sysctl-path.ts';
import { parseTemplate } from './template.ts';

/** A match key, ready: `holds` says whether the rule goes on. */
export interface Match {
  readonly holds: (evaluation: Evaluation) => boolean;
  readonly fixed?: { readonly key: FixedKey; readonly holds: TextTest };
  readonly isOfModule?: boolean;
}

/** A key that looks at the device and those above it. */
export interface Climb {
  readonly holds: (evaluation: Evaluation, device: RuleDevice) => boolean;
}

/** The test of a token's value, with `!=` taken into account. A missing text is an empty one. */
function valueTest({ value, operator, isCaseless }: RuleToken): (text: string | undefined) => boolean {
  const test = compilePattern(value, { isCaseless });
  return operator === '==' ? text => test(text ?? '') : text => !test(text ?? '');
}

/** Subsystems of drivers, buses and classes go by one name in rules. Source: systemd, MATCH_TYPE_SUBSYSTEM. */
function subsystemTest(token: RuleToken): (text: string | undefined) => boolean {
  if (!['subsystem', 'bus', 'class'].includes(token.value)) return valueTest(token);
  return valueTest({ ...token, value: 'subsystem|bus|class' });
}

/** Of several texts one has to match; with `!=` none may. */
function anyTest({ value, operator, isCaseless }: RuleToken): (texts: Iterable<string>) => boolean {
  const test = compilePattern(value, { isCaseless });
  return texts => {
    for (const text of texts) if (test(text)) return operator === '==';
    return operator !== '==';
  };
}

/** White space at an attribute's end is not seen, unless the value has some itself. A missing attribute matches nothing, nor `!=`. */
function attributeTest(token: RuleToken): (text: string | undefined) => boolean {
  const test = valueTest(token);
  const trims = token.value !== '' && trimEnd(token.value) === token.value;
  return text => text !== undefined && test(trims ? trimEnd(text) : text);
}

/** A match token → its test. Undefined for a key that is none. */
export function compileMatch(token: RuleToken): Match | undefined {
  const test = valueTest(token);
  switch (token.key) {
    case 'ACTION':
      return fixedMatch('ACTION', test, ({ subject }) => subject.action);
    case 'SUBSYSTEM':
      return fixedMatch('SUBSYSTEM', subsystemTest(token), ({ device }) => device.subsystem);
    case 'DEVPATH':
      return ofDevice(({ device }) => test(device.devpath));
    case 'KERNEL':
      return fixedMatch('KERNEL', test, ({ device }) => device.sysname);
    case 'DRIVER':
      return ofDevice(({ device }) => test(device.driver));
    case 'NAME':
      return ofDevice(({ name }) => test(name.value));
    case 'SYMLINK': {
      const any = anyTest(token);
      return ofDevice(({ links }) => any(links));
    }
    case 'TAG': {
      const any = anyTest(token);
      return ofDevice(({ tags }) => any(tags));
    }
    case 'ENV':
      return envMatch(token, test);
    case 'CONST':
      return { holds: ({ context }) => test(context.constant(token.attribute ?? '')) };
    case 'ATTR':
      return ofDevice(attributeMatch(token));
    case 'SYSCTL':
      return sysctlMatch(token, test);
    case 'TEST':
      return testMatch(token);
    case 'RESULT':
      return { holds: ({ programResult }) => test(programResult) };
    default:
      return moduleMatch(token, test);
  }
}

/** Keys of usherd's own. MODALIAS and ORIGIN also hold where no module is in question. */
function moduleMatch(token: RuleToken, test: (text: string | undefined) => boolean): Match | undefined {
  switch (token.key) {
    case 'MODULE':
      return { holds: ({ subject }) => subject.module !== undefined && test(subject.module.module), isOfModule: true };
    case 'MODALIAS':
      return { holds: ({ subject }) => test(subject.modalias) };
    case 'ORIGIN':
      return { holds: ({ subject }) => test(subject.origin) };
    case 'LICENSE':
      return { holds: ({ subject }) => test(subject.module?.facts()?.license), isOfModule: true };
    case 'SIGNER':
      return { holds: ({ subject }) => test(subject.module?.facts()?.signer), isOfModule: true };
    case 'TAINTS': {
      const any = anyTest(token);
      return { holds: ({ subject }) => any(subject.module?.facts()?.taints ?? []), isOfModule: true };
    }
    default:
      return undefined;
  }
}

/** Without a device nothing of a device matches, nor does its contrary. */
function ofDevice(holds: (evaluation: Evaluation) => boolean): Match {
  return { holds: evaluation => evaluation.hasDevice && holds(evaluation) };
}

function fixedMatch(
  key: FixedKey,
  test: (text: string | undefined) => boolean,
  read: (evaluation: Evaluation) => string | undefined,
): Match {
  return { ...ofDevice(evaluation => test(read(evaluation))), fixed: { key, holds: test } };
}

function envMatch({ attribute = '' }: RuleToken, test: (text: string | undefined) => boolean): Match {
  // DEVTYPE, which no rule can set, parts the rules of block and usb devices; the other fixed ones are rarely asked for.
  const holds = ({ properties }: Evaluation): boolean => test(properties.get(attribute));
  return attribute === 'DEVTYPE' ? { holds, fixed: { key: 'DEVTYPE', holds: test } } : { holds };
}

function attributeMatch(token: RuleToken): (evaluation: Evaluation) => boolean {
  const { attribute = '' } = token;
  const test = attributeTest(token);
  if (attribute.startsWith('[')) return evaluation => test(otherAttribute(attribute, evaluation));
  const template = parseTemplate(attribute);
  if (template.text !== undefined) return ({ device }) => test(device.attribute(attribute));
  return evaluation => {
    const name = expandTemplate(template, evaluation);
    return name !== undefined && test(evaluation.device.attribute(name));
  };
}

function sysctlMatch({ attribute = '' }: RuleToken, test: (text: string | undefined) => boolean): Match {
  const template = parseTemplate(attribute);
  return {
    holds: evaluation => {
      const name = expandTemplate(template, evaluation);
      const value = name === undefined ? undefined : evaluation.context.sysctl(sysctlPath(name));
      return value !== undefined && test(value.trim());
    },
  };
}

/** TEST{mask}: the file is there, and has one of the mode's bits. */
function testMatch({ value, attribute, operator }: RuleToken): Match {
  const template = parseTemplate(value);
  const mask = attribute === undefined ? 0 : Number.parseInt(attribute, 8);
  return {
    holds: evaluation => {
      const text = expandTemplate(template, evaluation);
      const file = text === undefined ? undefined : filePath(text, evaluation);
      const mode = file === undefined ? undefined : evaluation.context.fileMode(file);
      const isThere = mode !== undefined && (mask === 0 || (mode & mask) > 0);
      return isThere === (operator === '==');
    },
  };
}

/**
 * A path of a rule → an absolute one: as it is, of the device `[subsystem/name]`, or below the event's device. A `*` between
 * slashes stands for the first folder that has the rest.
 */
export function filePath(text: string, evaluation: Evaluation): string | undefined {
  const { context, device } = evaluation;
  const other = otherDevice(text);
  const found = other && evaluation.otherDevice(other.subsystem, other.sysname);
  const file = path.isAbsolute(text)
    ? text
    : found !== undefined
      ? path.posix.join(found.folder, other?.rest ?? '')
      : `${device.folder}/${text}`;
  const star = file.indexOf('/*/');
  if (star < 0) return file;
  const folder = file.slice(0, star);
  const tail = file.slice(star + 2);
  const name = context
    .list(folder)
    .find(candidate => !candidate.startsWith('.') && context.fileMode(`${folder}/${candidate}${tail}`) !== undefined);
  return name === undefined ? undefined : `${folder}/${name}${tail}`;
}

/** A climbing key → its test on one device of the path upwards. Undefined for a key that is none. */
export function compileClimb(token: RuleToken): Climb | undefined {
  const test = valueTest(token);
  switch (token.key) {
    case 'KERNELS':
      return { holds: (_, device) => test(device.sysname) };
    case 'SUBSYSTEMS': {
      const subsystem = subsystemTest(token);
      return { holds: (_, device) => subsystem(device.subsystem) };
    }
    case 'DRIVERS':
      return { holds: (_, device) => test(device.driver) };
    case 'ATTRS': {
      const attribute = attributeTest(token);
      const { attribute: name = '' } = token;
      const template = parseTemplate(name);
      return {
        holds: (evaluation, device) => {
          if (name.startsWith('[')) return attribute(otherAttribute(name, evaluation));
          const filled = template.text ?? expandTemplate(template, evaluation);
          return filled !== undefined && attribute(device.attribute(filled));
        },
      };
    }
    case 'TAGS': {
      const any = anyTest(token);
      return {
        holds: (evaluation, device) =>
          any(device === evaluation.device ? evaluation.tags : (evaluation.stored(device)?.tags ?? [])),
      };
    }
    default:
      return undefined;
  }
}

/** The node's name, as NAME of a device that is no interface has to be. */
export function isOwnNodeName(name: string, evaluation: Evaluation): boolean {
  return nodeName(evaluation) === name;
}
