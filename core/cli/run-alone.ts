import { callVerb, type Host } from './call-verb.ts';
import { readPlainWords } from './plain-words.ts';
import type { Verb } from './verb.ts';

/**
 * Runs one verb for this process without loading the others → its exit status, or undefined when the words are for the full parser, which has
 * --help and says what is wrong.
 */
export async function runAlone(verb: Verb, words: readonly string[], host: () => Host): Promise<number | undefined> {
  const plain = readPlainWords(verb, words);
  return plain && callVerb(verb, plain, [verb], host());
}
