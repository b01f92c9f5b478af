import type { Evaluation, Final } from './evaluation.ts';
import { expandTemplate } from './expand.ts';
import { LINE_MAX_BYTES, NAME_MAX_BYTES } from './language.ts';
import { filePath, isOwnNodeName } from './match-tokens.ts';
import type { RuleToken } from './rule.ts';
import { replaceUnsafe } from './safe-text.ts';
import { sysctlPath } from './sysctl-path.ts';
import { parseTemplate } from './template.ts';

type Act = (evaluation: Evaluation) => void;

/** An assigning token → what it does. Undefined for a key that is none. */
export function compileAssign(token: RuleToken): Act | undefined {
  switch (token.key) {
    case 'NAME':
      return nameAct(token);
    case 'SYMLINK':
      return linkAct(token);
    case 'ENV':
      return envAct(token);
    case 'TAG':
      return tagAct(token);
    case 'ATTR':
      return attributeAct(token);
    case 'SYSCTL':
      return sysctlAct(token);
    case 'OWNER':
      return ownerAct(token, 'owner');
    case 'GROUP':
      return ownerAct(token, 'group');
    case 'MODE':
      return modeAct(token);
    case 'SECLABEL':
      return labelAct(token);
    case 'RUN':
      return runAct(token);
    case 'OPTIONS':
      return token.attribute === 'module' ? parameterAct(token) : optionAct(token);
    default:
      return ownAct(token);
  }
}

/** Sets a value unless an earlier `:=` closed it. */
function setFinal<Value>(final: Final<Value>, { operator }: RuleToken, value: Value): void {
  final.value = value;
  final.isFinal = operator === ':=';
}

/** An act that needs its value filled in; a value that grows beyond its bound is noted and not used. */
function filled(token: RuleToken, maxBytes: number, act: (evaluation: Evaluation, text: string) => void): Act {
  const template = parseTemplate(token.value);
  return evaluation => {
    const text = expandTemplate(template, evaluation, { maxBytes });
    if (text === undefined) evaluation.note(token.place, `${token.key} would be longer than ${maxBytes} bytes`);
    else act(evaluation, text);
  };
}

function nameAct(token: RuleToken): Act {
  return filled(token, NAME_MAX_BYTES, (evaluation, text) => {
    if (evaluation.name.isFinal) return;
    const name = evaluation.escape === 'none' ? text : replaceUnsafe(text, evaluation.isInterface ? '' : '/');
    if (evaluation.hasNode && !isOwnNodeName(name, evaluation)) {
      evaluation.note(token.place, `a device node cannot be renamed to "${name}"; SYMLINK gives it another name`);
      if (token.operator === ':=') evaluation.name.isFinal = true;
    } else setFinal(evaluation.name, token, name);
  });
}

function linkAct(token: RuleToken): Act {
  const template = parseTemplate(token.value);
  return evaluation => {
    if (evaluation.linksAreFinal || !evaluation.hasNode) return;
    if (token.operator === ':=') evaluation.linksAreFinal = true;
    if (token.operator === '=' || token.operator === ':=') evaluation.links.clear();
    const { escape } = evaluation;
    const text = expandTemplate(template, evaluation, { joinsWords: escape !== 'none' });
    if (text === undefined) {
      evaluation.note(token.place, 'the link would be longer than a path can be');
      return;
    }
    const safe = escape === 'none' ? text : replaceUnsafe(text, escape === 'unset' ? '/ ' : '/');
    for (const link of safe.split(' ')) {
      const name = safeLink(link);
      if (link === '') continue;
      if (name === undefined)
        evaluation.note(token.place, `the link "${link}" would lead out of ${evaluation.context.devRoot}`);
      else if (token.operator === '-=') evaluation.links.delete(name);
      else evaluation.links.add(name);
    }
  };
}

/** A link's name below /dev without empty and `.` parts; undefined when `..` stands in it or nothing is left. */
function safeLink(link: string): string | undefined {
  const parts = link.split('/').filter(part => part !== '' && part !== '.');
  return parts.length === 0 || parts.includes('..') ? undefined : parts.join('/');
}

function envAct(token: RuleToken): Act {
  const { attribute: key = '', operator, value } = token;
  if (value === '') return evaluation => (operator === '+=' ? undefined : evaluation.setProperty(key, undefined));
  return filled(token, LINE_MAX_BYTES, (evaluation, text) => {
    const before = operator === '+=' ? evaluation.properties.get(key) : undefined;
    const joined = before === undefined ? text : `${before} ${text}`;
    evaluation.setProperty(key, evaluation.escape === 'replace' ? replaceUnsafe(joined) : joined);
  });
}

function tagAct(token: RuleToken): Act {
  return filled(token, NAME_MAX_BYTES, (evaluation, tag) => {
    if (token.operator === '=') evaluation.tags.clear();
    if (!/^[0-9A-Za-z_-]*$/.test(tag)) evaluation.note(token.place, `"${tag}" is no tag: letters, digits, - and _ are`);
    else if (token.operator === '-=') evaluation.tags.delete(tag);
    else evaluation.tags.add(tag);
  });
}

function attributeAct(token: RuleToken): Act {
  const { attribute = '', place } = token;
  return filled(token, NAME_MAX_BYTES, (evaluation, value) => {
    const file = filePath(attribute, evaluation);
    if (file === undefined) evaluation.note(place, `there is no ${attribute} to write "${value}" to`);
    else evaluation.attributes.push({ file, value, place });
  });
}

function sysctlAct(token: RuleToken): Act {
  const name = parseTemplate(token.attribute ?? '');
  return filled(token, NAME_MAX_BYTES, (evaluation, value) => {
    const file = expandTemplate(name, evaluation);
    if (file !== undefined) evaluation.sysctls.push({ file: sysctlPath(file), value, place: token.place });
  });
}

function ownerAct(token: RuleToken, whose: 'owner' | 'group'): Act {
  return filled(token, NAME_MAX_BYTES, (evaluation, text) => {
    const { context } = evaluation;
    const final = whose === 'owner' ? evaluation.owner : evaluation.group;
    if (final.isFinal) return;
    const id = /^[0-9]{1,10}$/.test(text)
      ? Number(text)
      : whose === 'owner'
        ? context.userId(text)
        : context.groupId(text);
    if (id === undefined) evaluation.note(token.place, `there is no ${whose === 'owner' ? 'user' : 'group'} "${text}"`);
    else setFinal(final, token, id);
  });
}

function modeAct(token: RuleToken): Act {
  return filled(token, NAME_MAX_BYTES, (evaluation, text) => {
    if (evaluation.mode.isFinal) return;
    if (/^[0-7]{1,4}$/.test(text)) setFinal(evaluation.mode, token, Number.parseInt(text, 8));
    else evaluation.note(token.place, `MODE wants an octal number, found "${text}"`);
  });
}

function labelAct(token: RuleToken): Act {
  return filled(token, NAME_MAX_BYTES, ({ seclabels }, label) => {
    if (token.operator === '=') seclabels.clear();
    seclabels.set(token.attribute ?? '', label);
  });
}

/**
 * udev(7) says that RUN is filled in once all rules are done; systemd-udevd does it at once, and so do we: `$attr` of a device that is
 * gone by then would be empty.
 */
function runAct(token: RuleToken): Act {
  const { attribute, operator, place } = token;
  const kind = attribute === 'builtin' ? 'builtin' : 'program';
  return filled(token, LINE_MAX_BYTES, (evaluation, command) => {
    if (evaluation.runIsFinal) return;
    if (operator === ':=') evaluation.runIsFinal = true;
    if (operator !== '+=') evaluation.run.length = 0;
    evaluation.run.push({ kind, command, place });
  });
}

function optionAct({ operator, value, place }: RuleToken): Act {
  const [name, rest = ''] = value.split(/=(.*)/s, 2);
  switch (name) {
    case 'string_escape':
      return evaluation => {
        if (rest === 'none' || rest === 'replace') evaluation.escape = rest;
      };
    case 'link_priority':
      return evaluation => {
        evaluation.linkPriority = Number(rest);
      };
    case 'watch':
    case 'nowatch':
      return ({ watch }) => {
        if (watch.isFinal) return;
        watch.value = name === 'watch';
        watch.isFinal = operator === ':=';
      };
    case 'db_persist':
      return evaluation => {
        evaluation.dbPersist = true;
      };
    case 'log_level':
      return evaluation => {
        evaluation.logLevel = rest === 'reset' ? undefined : rest;
      };
    case 'static_node':
      // Its permissions are set where static nodes are made, not when some device has an event.
      return () => {};
    default:
      return evaluation => evaluation.note(place, `OPTIONS does not know "${value}"`);
  }
}

function parameterAct(token: RuleToken): Act {
  return filled(token, LINE_MAX_BYTES, (evaluation, text) => {
    if (evaluation.subject.module?.role !== 'target') return;
    if (token.operator === '=' || token.operator === ':=') evaluation.parameters.length = 0;
    evaluation.parameters.push({ text, place: token.place });
  });
}

/** Keys of usherd's own. REASON belongs to the verdict of its own rule; it comes with it. */
function ownAct(token: RuleToken): Act | undefined {
  if (token.key !== 'DRIVER_OVERRIDE') return undefined;
  return filled(token, NAME_MAX_BYTES, (evaluation, driver) => {
    evaluation.driverOverride = { driver, place: token.place };
  });
}
