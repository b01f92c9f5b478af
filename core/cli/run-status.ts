import { briefHost } from './call-verb.ts';
import { runAlone } from './run-alone.ts';
import { status } from './verbs/status.ts';

/** `usher status` without all other verbs; undefined when the words are for the full parser. */
export function runStatus(words: readonly string[]): Promise<number | undefined> {
  return runAlone(status, words, briefHost);
}
