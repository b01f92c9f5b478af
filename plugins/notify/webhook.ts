import http from 'node:http';
import https from 'node:https';
import { isIPv4 } from 'node:net';
import type { Message } from './message.ts';
import { PermanentError } from './outbox.ts';

export interface Webhook {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Answers that another try may change. Source: RFC 9110, 15; RFC 6585, 4. */
const WORTH_A_RETRY = new Set([408, 425, 429]);

/** Posts a message as JSON. Only an answer of 200 to 299 counts; no redirection is followed, as it could lead anywhere. */
export function postMessage(
  { url, headers, timeoutMs }: Webhook,
  message: Message,
  signal: AbortSignal,
): Promise<void> {
  const body = Buffer.from(JSON.stringify(message));
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        'user-agent': 'usherd',
        ...headers,
      },
    };
    const request = (url.protocol === 'https:' ? https : http).request(url, options, response => {
      // What it says is of no interest, but has to be read for the connection to end.
      response.resume();
      const { statusCode: status = 0 } = response;
      if (status >= 200 && status < 300) resolve();
      else if (status >= 500 || WORTH_A_RETRY.has(status)) reject(new Error(`${url.host} answered ${status}`));
      else reject(new PermanentError(`${url.host} answered ${status}`));
    });
    request.on('error', error => reject(new Error(words(error, url, timeoutMs))));
    request.end(body);
  });
}

function words(error: Error & { code?: string; cause?: unknown }, { host }: URL, timeoutMs: number): string {
  const isLate = error.name === 'AbortError' || error.name === 'TimeoutError';
  return isLate ? `${host} did not answer within ${timeoutMs / 1000} s` : `${host}: ${error.code ?? error.message}`;
}

/** Whether a text is a URL a message may be sent to: HTTPS, or this very machine, or whatever the administrator takes the blame for. */
export function isSafeUrl(text: string, allowsPlain: boolean): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && (allowsPlain || isLoopback(hostname));
}

/** A name that only begins with 127 may lead anywhere. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}
