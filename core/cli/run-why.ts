import { briefHost } from './call-verb.ts';
import { runAlone } from './run-alone.ts';
import { why } from './verbs/why.ts';

/** `usher why` without all other verbs; undefined when the words are for the full parser. */
export function runWhy(words: readonly string[]): Promise<number | undefined> {
  return runAlone(why, words, briefHost);
}
