import { readFileSync, statSync } from 'node:fs';
import { UsherdError } from '../../errors.ts';
import { checkRules } from '../../pipeline/4-policy/rules/check-rules.ts';
import { parseRules } from '../../pipeline/4-policy/rules/parse-rules.ts';
import type { RuleProblem } from '../../pipeline/4-policy/rules/rule.ts';
import { listRuleFiles } from '../../pipeline/4-policy/rules/rule-files.ts';
import { SystemContext } from '../../pipeline/4-policy/rules/system-context.ts';
import { formatCount } from '../../pipeline/8-report/quantity.ts';
import { span } from '../../pipeline/8-report/terminal.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import { printJson, printSpans } from '../output.ts';
import type { Caller, OptionValues } from '../verb.ts';
import { namedDirs } from './named-dirs.ts';

const STYLES = { error: 'bad', warning: 'warning', style: 'faint' } as const;

/** Prints what is wrong with rule files → 1 when any of it is more than style. */
export async function checkRuleFiles(words: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const files = words.length === 0 ? listRuleFiles(namedDirs(options, caller)) : words.flatMap(filesOf);
  const problems = files.flatMap(file => problemsOf(file, caller));
  for (const problem of problems) {
    const { severity, message, place, suggestion } = problem;
    if (caller.isJson) {
      printJson(caller, { ...place, severity, message, ...(suggestion === undefined ? {} : { suggestion }) });
      continue;
    }
    printSpans(caller, [`${formatPlace(place)}: `, span(STYLES[severity], severity), `: ${message}`]);
    if (suggestion !== undefined) printSpans(caller, ['    write ', span('name', suggestion)]);
  }
  const grave = problems.filter(({ severity }) => severity !== 'style').length;
  if (!caller.isJson) {
    const found = problems.length === 0 ? 'nothing is wrong' : formatCount(problems.length, 'problem');
    printSpans(caller, [`${formatCount(files.length, 'file')}: ${found}`]);
  }
  return grave > 0 ? 1 : 0;
}

/** A folder stands for the rule files in it. */
function filesOf(word: string): readonly string[] {
  return statSync(word, { throwIfNoEntry: false })?.isDirectory() === true ? listRuleFiles([word]) : [word];
}

function problemsOf(file: string, { roots }: Caller): readonly RuleProblem[] {
  let text: string;
  try {
    // A link to /dev/null takes a file of that name out; there is nothing in it.
    text = statSync(file).isFile() ? readFileSync(file, 'utf8') : '';
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
  const name: RuleProblem[] = file.endsWith('.rules')
    ? []
    : [{ severity: 'warning', place: { file }, message: 'the name does not end in .rules, so the file is not read' }];
  return [...name, ...checkRules(text, file), ...unknownNames(text, file, new SystemContext(roots))];
}

/** Users and groups that are not on this system: the rule is read, and gives the node to nobody. */
function unknownNames(text: string, file: string, context: SystemContext): readonly RuleProblem[] {
  return parseRules(text, file)
    .rules.flatMap(({ tokens }) => tokens)
    .flatMap(({ key, value, place }): RuleProblem[] => {
      if ((key !== 'OWNER' && key !== 'GROUP') || /[$%]|^[0-9]+$/.test(value)) return [];
      const id = key === 'OWNER' ? context.userId(value) : context.groupId(value);
      if (id !== undefined) return [];
      return [
        { severity: 'warning', place, message: `there is no ${key === 'OWNER' ? 'user' : 'group'} "${value}" here` },
      ];
    });
}
