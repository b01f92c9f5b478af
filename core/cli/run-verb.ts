import { callVerb, processHost, type Host } from './call-verb.ts';
import { readPlainWords, type PlainWords } from './plain-words.ts';
import type { Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

/** Runs the verb this process was called with → its exit status. All verbs come with this file. */
export function runVerb(): Promise<number> {
  return runWords(process.argv.slice(2), VERBS, processHost());
}

/** Runs a verb for somebody else than this process → its exit status. */
export function runVerbFor(words: readonly string[], host: Host): Promise<number> {
  return runWords(words, VERBS, host);
}

/** What a command line says that needs no full parser (plain-words.ts). */
export function plainWordsOf(words: readonly string[]): PlainWords | undefined {
  const verb = VERBS.find(({ name }) => name === words[0]);
  return verb && readPlainWords(verb, words.slice(1));
}

/** Words after the command's name → exit status. The parser with --help and all messages is loaded only when one of them is due. */
export async function runWords(words: readonly string[], verbs: readonly Verb[], host: Host): Promise<number> {
  const verb = verbs.find(({ name }) => name === words[0]);
  if (verb?.runWords !== undefined) return verb.runWords(words.slice(1), host);
  const plain = verb && readPlainWords(verb, words.slice(1));
  if (verb !== undefined && plain !== undefined) return callVerb(verb, plain, verbs, host);
  const { runProgram } = await import('./program.ts');
  return runProgram(words, verbs, host);
}
