import type { Opinion, VerdictKind } from '../pipeline/4-policy/opinion.ts';
import type { Question } from '../pipeline/4-policy/question.ts';
import type { Proposal } from '../plugin-api/hooks.ts';
import { isPlausibleModuleName, moduleName } from '../vocabulary/module-name.ts';

/** What an answer has that is none, in words that follow "it answered". */
export interface Nonsense {
  readonly nonsense: string;
}

/** Reasons stand in every explanation; a longer one is cut. */
const REASON_MAX_CHARACTERS = 500;
const VERDICTS: readonly string[] = ['deny', 'hold', 'replace', 'allow', 'abstain'] satisfies readonly VerdictKind[];

/** What an `opine` hook answered → an opinion in its name, nothing, or nonsense. Only a target can be replaced. */
export function parseOpinion(
  answer: unknown,
  by: string,
  { module, role }: Pick<Question, 'module' | 'role'>,
): Opinion | Nonsense | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== 'object') return { nonsense: `${quote(answer)}, which is no verdict` };
  const { verdict, reason, module: other } = answer as { verdict?: unknown; reason?: unknown; module?: unknown };
  if (typeof verdict !== 'string' || !VERDICTS.includes(verdict)) return { nonsense: `the verdict ${quote(verdict)}` };
  if (verdict === 'abstain') return undefined;
  if (typeof reason !== 'string' || reason === '') return { nonsense: `the verdict ${verdict} without a reason` };
  const opinion: Opinion = { verdict: verdict as VerdictKind, module, by, reason: clean(reason) };
  if (verdict !== 'replace') return opinion;
  if (typeof other !== 'string' || !isPlausibleModuleName(other))
    return { nonsense: `to put ${quote(other)} in place of ${module}, which is no module's name` };
  if (role !== 'target') return { nonsense: `to replace ${module}, which comes along with another module` };
  return { ...opinion, replacement: moduleName(other) };
}

/** What a `nomatch` hook answered → a proposal, nothing, or nonsense. */
export function parseProposal(answer: unknown): Proposal | Nonsense | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== 'object') return { nonsense: `${quote(answer)}, which is no proposal` };
  const { title, reason, command } = answer as { title?: unknown; reason?: unknown; command?: unknown };
  if (typeof title !== 'string' || title === '' || typeof reason !== 'string' || reason === '')
    return { nonsense: 'a proposal without a title or a reason' };
  if (command !== undefined && typeof command !== 'string')
    return { nonsense: `a proposal with the command ${quote(command)}` };
  return { title: clean(title), reason: clean(reason), ...(command === undefined ? {} : { command: clean(command) }) };
}

/** One line without control characters: it goes to terminals and into the record. */
export function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  const line = text.slice(0, REASON_MAX_CHARACTERS).replaceAll(/[\0-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ');
  return text.length > REASON_MAX_CHARACTERS ? `${line}…` : line;
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}
