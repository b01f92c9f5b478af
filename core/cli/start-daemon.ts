import { callVerb, processHost } from './call-verb.ts';
import { readPlainWords } from './plain-words.ts';
import { daemon } from './verbs/daemon.ts';

/**
 * Starts the daemon without the other verbs, which it would carry along for as long as it runs → its exit status, or undefined when
 * the words are for the full parser.
 */
export async function startDaemon(words: readonly string[]): Promise<number | undefined> {
  const plain = readPlainWords(daemon, words);
  return plain && callVerb(daemon, plain, [daemon], processHost());
}
