import { VERDICT_KINDS, type Decision, type Opinion } from './opinion.ts';
import type { OpinionSource, Question } from './question.ts';

/** Asks every source and joins what they say. The strictest verdict wins; who was asked first never matters. */
export async function decide(question: Question, sources: readonly OpinionSource[]): Promise<Decision> {
  const answers = await Promise.all(sources.map(async source => source.opinionsOn(question)));
  return joinOpinions(question.module, answers.flat());
}

/** Opinions on one module, in any order → the decision. `deny > hold > replace > allow > abstain`. */
export function joinOpinions(module: Decision['module'], opinions: readonly Opinion[]): Decision {
  const sorted = opinions.toSorted(compareOpinions);
  const winner = sorted.find(opinion => opinion.verdict !== 'abstain');
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
