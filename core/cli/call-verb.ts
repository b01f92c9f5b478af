import os from 'node:os';
import { UsherdError } from '../errors.ts';
import { systemRoot } from '../kernel/system-root.ts';
import { rootOptionsOf } from './global-options.ts';
import { plainOutput } from './plain-output.ts';
import type { PlainWords } from './plain-words.ts';
import type { Caller, Verb } from './verb.ts';

/** The process a command line runs in. */
export type Host = Pick<Caller, 'stdout' | 'stderr' | 'env' | 'uid' | 'signal'>;

/** Runs one verb → its exit status. An UsherdError becomes a message that says what was found, what was wanted, and what to do. */
export async function callVerb(
  verb: Verb,
  { args, values }: PlainWords,
  verbs: readonly Verb[],
  host: Host,
): Promise<number> {
  const kernel = values['kernel'];
  const isJson = values['json'] === true;
  try {
    return await verb.run(args, values, {
      ...host,
      roots: systemRoot(rootOptionsOf(values), host),
      release: typeof kernel === 'string' ? kernel : undefined,
      isJson,
      verbs,
    });
  } catch (error) {
    return reportError(error, isJson, host);
  }
}

function reportError(error: unknown, isJson: boolean, { stderr, stdout }: Host): number {
  if (!(error instanceof UsherdError)) throw error;
  const { code, message, hint, details } = error;
  if (isJson) stdout.write(`${JSON.stringify({ error: { code, message, hint, details } }, jsonValue)}\n`);
  else stderr.write(`usher: ${message}\n  ${hint}\n`);
  return error.exitStatus;
}

/** JSON has no bigint; seqnums are printed as text, as in recordings. */
export function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** The running kernel's release. */
export function runningRelease(): string {
  return os.release();
}

/** This process, for a verb that says what it has to say and ends. */
export function briefHost(): Host {
  return {
    stdout: plainOutput(1),
    stderr: plainOutput(2),
    env: process.env,
    uid: process.getuid?.() ?? 0,
    signal: new AbortController().signal,
  };
}

/** This process, for a verb that stays until Ctrl-C or SIGTERM. */
export function lastingHost(): Host {
  return { ...briefHost(), signal: askedToEnd() };
}

/** This process: Ctrl-C and SIGTERM abort the signal, so that a verb that follows something ends cleanly. */
export function processHost(): Host {
  // A reader that has seen enough (`usher history | head`) closes the pipe: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const { stdout, stderr, env } = process;
  return { stdout, stderr, env, uid: process.getuid?.() ?? 0, signal: askedToEnd() };
}

function askedToEnd(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  return abort.signal;
}
