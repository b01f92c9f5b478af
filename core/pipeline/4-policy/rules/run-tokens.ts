import path from 'node:path';
import { globMatches } from '../../../kmod/lookup/glob.ts';
import { runBuiltin } from './builtins/run-builtin.ts';
import { commandWords } from './command-words.ts';
import type { Evaluation } from './evaluation.ts';
import { expandTemplate } from './expand.ts';
import { LINE_MAX_BYTES } from './language.ts';
import { parsePropertyLines } from './property-lines.ts';
import type { RuleToken } from './rule.ts';
import type { ProgramAnswer, ProgramRequest } from './rule-context.ts';
import { INPUT_CHARS, replaceUnsafe } from './safe-text.ts';
import { parseTemplate } from './template.ts';

/** A key that may need a program: what to run, and what its answer comes to. A boolean: there is nothing to run, that is the outcome. */
export interface RunningToken {
  readonly request: (evaluation: Evaluation) => ProgramRequest | boolean;
  readonly settle: (evaluation: Evaluation, answer: ProgramAnswer) => boolean;
}

/** Where programs are that are named without a path. Source: udev(7), RUN. */
export const PROGRAM_FOLDER = '/lib/udev';

/** PROGRAM or IMPORT, ready. Undefined for a key that is neither. */
export function compileRunning(token: RuleToken): RunningToken | undefined {
  if (token.key === 'PROGRAM') return programToken(token);
  if (token.key !== 'IMPORT') return undefined;
  switch (token.attribute) {
    case 'program':
      return importProgram(token);
    case 'builtin':
      return importBuiltin(token);
    default:
      return atOnce(token, importAct(token));
  }
}

/** The program's words and a clean environment: the device's properties, nothing of ours. Undefined when there are no words. */
export function programRequest(command: string, properties: ReadonlyMap<string, string>): ProgramRequest | undefined {
  const [program, ...rest] = commandWords(command);
  if (program === undefined || program === '') return undefined;
  const words = [path.isAbsolute(program) ? program : `${PROGRAM_FOLDER}/${program}`, ...rest];
  return { words, env: Object.fromEntries(properties) };
}

function asked(token: RuleToken, wentWell: boolean): boolean {
  return wentWell === (token.operator === '==');
}

function requester(token: RuleToken): RunningToken['request'] {
  const template = parseTemplate(token.value);
  return evaluation => {
    const command = expandTemplate(template, evaluation, { maxBytes: LINE_MAX_BYTES });
    return (command === undefined ? undefined : programRequest(command, evaluation.properties)) ?? asked(token, false);
  };
}

function programToken(token: RuleToken): RunningToken {
  const request = requester(token);
  return {
    request: evaluation => {
      evaluation.programResult = undefined;
      return request(evaluation);
    },
    settle: (evaluation, answer) => {
      if (answer !== undefined)
        evaluation.programResult = replaceUnsafe(answer.replace(/\n{1,4096}$/, ''), INPUT_CHARS);
      return asked(token, answer !== undefined);
    },
  };
}

function importProgram(token: RuleToken): RunningToken {
  return {
    request: requester(token),
    settle: (evaluation, answer) => {
      for (const [key, value] of parsePropertyLines(answer ?? '')) evaluation.setProperty(key, value);
      return asked(token, answer !== undefined);
    },
  };
}

/** A builtin's answer is remembered: all but hwdb and kmod run once an event. */
function importBuiltin(token: RuleToken): RunningToken {
  const template = parseTemplate(token.value);
  const name = /^\S*/.exec(token.value)?.[0] ?? '';
  const runsOnce = name !== 'hwdb' && name !== 'kmod' && name !== 'keyboard';
  return {
    request: evaluation => {
      const before = runsOnce ? evaluation.ran.get(name) : undefined;
      if (before !== undefined) return asked(token, before);
      const command = expandTemplate(template, evaluation, { maxBytes: LINE_MAX_BYTES });
      if (command === undefined) return asked(token, false);
      const answer = runBuiltin(commandWords(command), evaluation);
      if (typeof answer === 'object') return answer;
      evaluation.ran.set(name, answer);
      return asked(token, answer);
    },
    settle: (evaluation, answer) => {
      for (const [key, value] of parsePropertyLines(answer ?? '')) evaluation.setProperty(key, value);
      evaluation.ran.set(name, answer !== undefined);
      return asked(token, answer !== undefined);
    },
  };
}

function atOnce(token: RuleToken, act: (evaluation: Evaluation, text: string) => boolean): RunningToken {
  const template = parseTemplate(token.value);
  return {
    request: evaluation => {
      const text = expandTemplate(template, evaluation);
      return asked(token, text !== undefined && act(evaluation, text));
    },
    settle: () => false,
  };
}

/** The kinds of IMPORT that need no program. `true` when there was something to import from. */
function importAct(token: RuleToken): (evaluation: Evaluation, text: string) => boolean {
  switch (token.attribute) {
    case 'file':
      return (evaluation, file) => {
        const text = path.isAbsolute(file) ? evaluation.context.readFile(file) : undefined;
        for (const [key, value] of parsePropertyLines(text ?? '')) evaluation.setProperty(key, value);
        return text !== undefined;
      };
    case 'db':
      return (evaluation, key) => {
        const value = evaluation.hasDevice ? evaluation.stored(evaluation.device)?.properties.get(key) : undefined;
        if (value !== undefined) evaluation.setProperty(key, value);
        return value !== undefined;
      };
    case 'cmdline':
      return (evaluation, key) => {
        const value = evaluation.context.bootParameter(key);
        if (value !== undefined) evaluation.setProperty(key, value);
        return value !== undefined;
      };
    case 'parent':
      return importParent;
    default:
      return () => false;
  }
}

/** Properties of the device above, from its uevent file and from the database, whose names a pattern matches. */
function importParent(evaluation: Evaluation, pattern: string): boolean {
  const { parent } = evaluation.device;
  if (parent === undefined) return false;
  const stored = evaluation.stored(parent)?.properties ?? new Map<string, string>();
  for (const [key, value] of [...Object.entries(parent.uevent), ...stored]) {
    if (globMatches(pattern, key)) evaluation.setProperty(key, value);
  }
  return true;
}
