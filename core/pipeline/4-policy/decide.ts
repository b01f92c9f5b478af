import { VERDICT_KINDS, type Decision, type Opinion } from './opinion.ts';
import type { OpinionSource, Question } from './question.ts';

/** Asks every source and joins what they say. The strictest verdict wins; who was asked first never matters. */
export async function decide(question: Question, sources: readonly OpinionSource[]): Promise<Decision> {
  const opinions: Opinion[] = [];
  const answers: Opinion[] = [];
  const later: Promise<readonly Opinion[]>[] = [];
  for (const source of sources) {
    const said = source.opinionsOn(question);
    if (said instanceof Promise) later.push(said);
    else opinions.push(...said);
    if (source.answersTo !== undefined) answers.push(...source.answersTo(question));
  }
  // Nearly always all of them have spoken, and there is nothing to wait for.
  if (later.length > 0) opinions.push(...(await Promise.all(later)).flat());
  return joinOpinions(question.module, opinions, answers);
}

/**
 * Opinions on one module, in any order → the decision. `deny > hold > replace > allow > abstain`. A hold asks somebody; where an
 * administrator's answer says allow, holds no longer count. An answer that says deny is a deny like any other.
 */
export function joinOpinions(
  module: Decision['module'],
  opinions: readonly Opinion[],
  answers: readonly Opinion[] = [],
): Decision {
  const sorted = [...opinions, ...answers].toSorted(compareOpinions);
  const isAnswered = answers.some(({ verdict }) => verdict === 'allow');
  const winner = sorted.find(({ verdict }) => verdict !== 'abstain' && !(isAnswered && verdict === 'hold'));
  return {
    module,
    verdict: winner?.verdict ?? 'abstain',
    opinions: sorted,
    ...(winner === undefined ? {} : { winner }),
  };
}

/** Whether a module so decided may be loaded now. */
export function mayLoad({ verdict }: Decision): boolean {
  return verdict === 'allow' || verdict === 'abstain';
}

function compareOpinions(a: Opinion, b: Opinion): number {
  return (
    VERDICT_KINDS.indexOf(a.verdict) - VERDICT_KINDS.indexOf(b.verdict) ||
    compareText(a.by, b.by) ||
    compareText(a.reason, b.reason) ||
    compareText(a.replacement ?? '', b.replacement ?? '')
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
