import type { Opinion } from '../pipeline/4-policy/opinion.ts';
import type { Question } from '../pipeline/4-policy/question.ts';
import { whenThere } from '../vocabulary/when-there.ts';
import type { FactReader } from './fact-reader.ts';
import type { WiredHook, Wiring } from './hook-wiring.ts';
import { clean, parseOpinion } from './parse-answer.ts';
import type { PluginPlace } from './plugin-place.ts';
import { CallFailure } from './plugin-seat.ts';
import { viewQuestion } from './plugin-views.ts';

const NO_OPINIONS: readonly Opinion[] = [];

/** Asks every plugin whose filter lets the question through → their opinions; at once when all of them answer at once. */
export function askPlugins(
  question: Question,
  { hooks, missing }: Wiring,
  facts: FactReader,
): readonly Opinion[] | Promise<readonly Opinion[]> {
  const { opine } = hooks;
  if (opine.length === 0 && missing.length === 0) return NO_OPINIONS;
  const { module } = question;
  const opinions: Opinion[] = missing.map(({ by, reason }) => ({ verdict: 'deny', module, by, reason }));
  const later: Promise<Opinion | undefined>[] = [];
  for (const hook of opine) {
    if (!hook.filter.passesQuestion(question)) continue;
    const opinion = ask(hook, question, facts);
    if (opinion instanceof Promise) later.push(opinion);
    else if (opinion !== undefined) opinions.push(opinion);
  }
  if (later.length === 0) return opinions;
  return Promise.all(later).then(more => [...opinions, ...more.filter(opinion => opinion !== undefined)]);
}

function ask(
  hook: WiredHook,
  question: Question,
  facts: FactReader,
): Opinion | undefined | Promise<Opinion | undefined> {
  const answer = whenThere(viewQuestion(question, hook.facts.wants, facts), view => hook.seat.call(hook.index, [view]));
  return whenThere(answer, value => opinionFrom(value, hook, question));
}

/** No answer, and an answer that is none, count as the hook's onError says. */
function opinionFrom(answer: unknown, { seat, index, facts }: WiredHook, question: Question): Opinion | undefined {
  const by = `plugin ${seat.place.name}`;
  let failure = answer instanceof CallFailure ? answer : undefined;
  if (failure === undefined) {
    const opinion = parseOpinion(answer, by, question);
    if (opinion === undefined || !('nonsense' in opinion)) return withPlace(opinion, seat.place);
    failure = seat.nonsense(index, opinion.nonsense);
  }
  if (facts.onError !== 'deny') return undefined;
  const reason = `it gave no opinion, and then it denies: ${clean(failure.why)}`;
  return withPlace({ verdict: 'deny', module: question.module, by, reason }, seat.place);
}

function withPlace(opinion: Opinion | undefined, { file }: PluginPlace): Opinion | undefined {
  return opinion === undefined || file === undefined ? opinion : { ...opinion, place: { file } };
}
