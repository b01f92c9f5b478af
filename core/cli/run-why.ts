import { briefHost } from './call-verb.ts';
import { explainSubject } from './explain-subject.ts';
import { runAlone } from './run-alone.ts';
import { whyUsage } from './verbs/why-usage.ts';

/** `usher why` without all other verbs; undefined when the words are for the full parser. */
export function runWhy(words: readonly string[]): Promise<number | undefined> {
  return runAlone({ ...whyUsage, run: explainSubject }, words, briefHost);
}
