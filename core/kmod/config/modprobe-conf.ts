import { assertNever } from '../../vocabulary/assert-never.ts';
import { moduleName, type ModuleName } from '../../vocabulary/module-name.ts';
import type { Place, Problem } from '../../vocabulary/place.ts';
import { normaliseAlias } from '../lookup/normalise-alias.ts';
import { parseSoftdep } from '../maps/modules-softdep.ts';
import { excerpt } from '../maps/text-lines.ts';
import type { Directive } from './directive.ts';
import { logicalLines } from './logical-lines.ts';

/** What one source of configuration says, and the lines it was not understood in. */
export interface ParsedConfig {
  readonly directives: readonly Directive[];
  readonly problems: readonly Problem[];
}

/** What each directive wants behind its name, for the message about a line that lacks it. */
const WANTED = {
  alias: 'alias PATTERN MODULE',
  options: 'options MODULE TEXT',
  blacklist: 'blacklist MODULE',
  install: 'install MODULE COMMAND',
  remove: 'remove MODULE COMMAND',
  softdep: 'softdep MODULE pre: NAMES post: NAMES',
  weakdep: 'weakdep MODULE NAMES',
} as const;

type Keyword = keyof typeof WANTED;

/**
 * A modprobe.d file → its directives. A line that is not understood is left out and named, as modprobe says "ignoring bad line".
 * A comment begins with `#` in the very first column. Source: modprobe.d(5); kmod libkmod-config.c, kmod_config_parse.
 */
export function parseModprobeConf(text: string, file: string): ParsedConfig {
  const directives: Directive[] = [];
  const problems: Problem[] = [];
  for (const { text: line, number } of logicalLines(text)) {
    if (line.startsWith('#')) continue;
    const [keyword, rest] = cutWord(line);
    if (keyword === '') continue;
    const place: Place = { file, line: number };
    if (keyword === 'include' || keyword === 'config') {
      problems.push({ place, message: `"${keyword}" is deprecated and not read any more` });
    } else if (!Object.hasOwn(WANTED, keyword)) {
      problems.push({
        place,
        message: `ignoring a bad line: found "${excerpt(keyword)}", wanted one of ${Object.keys(WANTED).join(', ')}`,
      });
    } else {
      const directive = readDirective(keyword as Keyword, rest, place);
      if (directive === undefined) {
        problems.push({
          place,
          message: `ignoring a bad line: found "${excerpt(line.trim())}", wanted "${WANTED[keyword as Keyword]}" with brackets in pairs`,
        });
      } else directives.push(directive);
    }
  }
  return { directives, problems };
}

function readDirective(keyword: Keyword, text: string, place: Place): Directive | undefined {
  const [first, rest] = cutWord(text);
  const subject = first === '' ? undefined : normaliseAlias(first);
  if (subject === undefined) return undefined;
  const module = subject as ModuleName;
  if (keyword === 'blacklist') return { kind: keyword, module, place };
  if (rest === '') return undefined;
  switch (keyword) {
    case 'alias': {
      const [word] = cutWord(rest);
      const target = word === '' ? undefined : normaliseAlias(word);
      return target === undefined ? undefined : { kind: keyword, pattern: subject, module: moduleName(target), place };
    }
    case 'options':
      return { kind: keyword, module, text: rest.replaceAll('\t', ' '), place };
    case 'install':
    case 'remove':
      return { kind: keyword, pattern: subject, command: rest, place };
    case 'softdep':
      return { kind: keyword, module, ...parseSoftdep(rest), place };
    case 'weakdep':
      return { kind: keyword, module, modules: rest.split(/[ \t]+/).filter(word => word !== ''), place };
    default:
      return assertNever(keyword);
  }
}

/** Blanks, a word, the one blank that ends it. */
const FIRST_WORD = /^[ \t]*([^ \t]*)[ \t]?/;

/** First word, and what stands behind the one blank that ends it, as strtok(3) cuts. */
function cutWord(text: string): [word: string, rest: string] {
  const [whole = '', word = ''] = FIRST_WORD.exec(text) ?? [];
  return [word, text.slice(whole.length)];
}
