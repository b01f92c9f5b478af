import { setFlagsFromString } from 'node:v8';

/**
 * Does a piece of work of a second or less with V8's quick compilers alone. The one that optimises (TurboFan) takes a fifth of the
 * processors' time of such a process, and what it makes comes too late to pay for itself. Only for a process that does nothing else meanwhile.
 * The flag is set back, so that code kept by this process is what others take.
 */
export async function compilingLightly<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  setFlagsFromString('--no-opt');
  try {
    return await work();
  } finally {
    setFlagsFromString('--opt');
  }
}
