import { readFileSync } from 'node:fs';
import { findSessions, notifyDesktops } from './desktop.ts';
import { PermanentError, type OutboxOptions, type Send } from './outbox.ts';
import { runCommand } from './run-command.ts';
import type { Sink } from './settings.ts';
import { isSafeUrl, postMessage } from './webhook.ts';

const RUN_USER_DIR = '/run/user';

/** A sink of the settings → how it is sent to, and how often. */
export function openSink(sink: Sink): Pick<OutboxOptions, 'name' | 'send' | 'retries' | 'firstPauseMs'> {
  const timeoutMs = sink.timeout_seconds * 1000;
  if (sink.kind === 'command') {
    const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
    const send: Send = (message, signal) =>
      runCommand({ words: sink.run, input: `${JSON.stringify(message)}\n`, timeoutMs, env, signal });
    return { name: sink.run[0] ?? '', send, retries: sink.retries, firstPauseMs: 1000 };
  }
  if (sink.kind === 'desktop') {
    const send: Send = (message, signal) =>
      notifyDesktops(findSessions(RUN_USER_DIR, sink.users), message, { timeoutMs, signal });
    return { name: 'desktop', send, retries: 0, firstPauseMs: 0 };
  }
  const { retries, first_pause_seconds: pause } = sink;
  const send: Send = async (message, signal) => postMessage(targetOf(sink, timeoutMs), message, signal);
  return { name: 'webhook', send, retries, firstPauseMs: pause * 1000 };
}

/** Files are read for each message: a token that was changed counts at once, and none is kept in memory. */
function targetOf(
  {
    url,
    url_file: urlFile,
    token_file: tokenFile,
    headers,
    allow_plain_http: plain,
  }: Extract<Sink, { readonly kind: 'webhook' }>,
  timeoutMs: number,
): Parameters<typeof postMessage>[0] {
  const text = url ?? secret(urlFile ?? '');
  if (!isSafeUrl(text, plain)) throw new PermanentError(`${urlFile ?? 'its url'} has no URL with https:// in it`);
  const token = tokenFile === undefined ? {} : { authorization: `Bearer ${secret(tokenFile)}` };
  return { url: new URL(text), headers: { ...headers, ...token }, timeoutMs };
}

function secret(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new PermanentError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
}
