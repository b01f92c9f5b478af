import { runProgram } from './program.ts';
import { VERBS } from './verbs.ts';

/** Runs the verb this process was called with → its exit status. All verbs and their parser come with this file. */
export function runVerb(): Promise<number> {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  // A reader that has seen enough (`usher history | head`) closes the pipe: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const { stdout, stderr, env } = process;
  return runProgram(process.argv.slice(2), VERBS, {
    stdout,
    stderr,
    env,
    uid: process.getuid?.() ?? 0,
    signal: abort.signal,
  });
}
