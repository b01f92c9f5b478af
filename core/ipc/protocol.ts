import { ERRORS, UsherdError, type ErrorCode } from '../errors.ts';
import type { Json } from '../pipeline/8-report/json.ts';
import type { Role } from './role.ts';

/**
 * What is spoken over the socket: JSON, one message a line, UTF-8. One connection is one request.
 *
 *   client  {"usherd":1,"verb":"history","params":{"limit":2}}
 *   daemon  {"usherd":1,"version":"0.1.0","role":"read"}
 *   daemon  {"item":…}                                          any number
 *   daemon  {"end":true}      or      {"error":{"code":"DAEMON_REFUSED","message":"…","details":{…}}}
 *
 * Then the daemon closes. A client that wants no more closes; it keeps its side open until then.
 */
export const PROTOCOL_VERSION = 1;

/** Longest message either side takes. An item of the longest kind, an explanation of a device with many aliases, has some 100 KiB. */
export const MESSAGE_MAX_BYTES = 1024 * 1024;

export type JsonObject = { readonly [key: string]: Json };

export interface Request {
  readonly verb: string;
  readonly params: JsonObject;
}

/** What the daemon says first. */
export interface Hello {
  readonly usherd: number;
  readonly version: string;
  readonly role: Role;
}

export type Reply =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'item'; readonly item: Json }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly error: UsherdError };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A client's line → its request, or why it is none. */
export function parseRequest(line: string): Request | { readonly refusal: string } {
  const message = parseLine(line);
  if (!isJsonObject(message)) return { refusal: 'the request is no JSON object' };
  const { usherd, verb, params = {} } = message;
  if (usherd !== PROTOCOL_VERSION)
    return {
      refusal: `the request is of protocol ${JSON.stringify(usherd ?? null)}, this daemon speaks ${PROTOCOL_VERSION}`,
    };
  if (typeof verb !== 'string' || !/^[a-z][a-z.-]{0,31}$/.test(verb)) return { refusal: 'the request names no verb' };
  return isJsonObject(params) ? { verb, params } : { refusal: 'the request has params that are no object' };
}

/** A daemon's line → its reply. @throws {UsherdError} DAEMON_REFUSED when it is none that this client knows */
export function parseReply(line: string): Reply {
  const message = parseLine(line);
  if (isJsonObject(message)) {
    const { usherd, item, end, error } = message;
    if (usherd === PROTOCOL_VERSION) return { kind: 'hello', hello: message as unknown as Hello };
    if (item !== undefined) return { kind: 'item', item };
    if (end === true) return { kind: 'end' };
    if (isJsonObject(error)) return { kind: 'error', error: errorOf(error) };
  }
  throw new UsherdError('DAEMON_REFUSED', `the daemon says what this usher does not know: ${line.slice(0, 80)}`);
}

/** An error → what is sent of it. */
export function errorMessage(error: UsherdError, details: Json): JsonObject {
  return { error: { code: error.code, message: error.message, details } };
}

function errorOf({ code, message, details }: JsonObject): UsherdError {
  const known = typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'DAEMON_REFUSED';
  const sentence = typeof message === 'string' ? message : 'the daemon gave no reason';
  return new UsherdError(known, sentence, isJsonObject(details) ? details : {});
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Also a nesting too deep for the parser's stack, which is a RangeError.
    return undefined;
  }
}
