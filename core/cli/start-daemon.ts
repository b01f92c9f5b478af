import { lastingHost } from './call-verb.ts';
import { runAlone } from './run-alone.ts';
import { daemon } from './verbs/daemon.ts';

/**
 * Starts the daemon without the other verbs, which it would carry along for as long as it runs → its exit status, or undefined when
 * the words are for the full parser.
 */
export function startDaemon(words: readonly string[]): Promise<number | undefined> {
  return runAlone(daemon, words, lastingHost);
}
