import { isAscii, isUtf8 } from 'node:buffer';
import { parseDevpath } from '../../vocabulary/devpath.ts';
import { parseSeqnum } from '../../vocabulary/seqnum.ts';
import { ACTIONS, type Action, type Origin, type Uevent } from './uevent.ts';
import { noVariables, type Variables } from '../../vocabulary/variables.ts';

/** A datagram → the uevent in it, or where and why it is none. */
export type ParsedMessage =
  | { readonly kind: 'uevent'; readonly uevent: Uevent }
  | { readonly kind: 'malformed'; readonly reason: string; readonly offsetBytes: number };

/** What a message does not say of itself. */
export interface Arrival {
  readonly origin: Origin;
  readonly receivedAtMs: number;
}

/** One character a byte, so that offsets in the text are offsets in the datagram. */
export function latin1Of(bytes: Buffer, start: number, end: number): string {
  return bytes.latin1Slice(start, end);
}

declare global {
  // Node's Buffer has these since its beginning; its types leave them out. They skip toString's look-up of the encoding's name.
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
  }
}

const ACTION_NAMES: ReadonlySet<string> = new Set(ACTIONS);

/**
 * Variables `KEY=VALUE NUL …` from `bodyStart` to the end of `text` (the datagram as latin1) → a uevent.
 * ACTION, DEVPATH, SUBSYSTEM and a SEQNUM other than 0 must be there, each once; of any other key the last value counts, and a value
 * ends at its first newline, both as in sd-device (systemd, device-private.c, device_new_from_nulstr). Values are UTF-8; bytes that are
 * not become U+FFFD, except in a devpath, which must be exact to be found again.
 */
export function parseBody(
  bytes: Buffer,
  { text, start, bodyStart, variablesMax }: { text: string; start: number; bodyStart: number; variablesMax: number },
  arrival: Arrival,
): ParsedMessage {
  if (text.charCodeAt(text.length - 1) !== 0) return malformed('the message does not end with a NUL', text.length);
  const isPlain = isAscii(bytes.subarray(start, start + text.length));
  const hasNewline = text.includes('\n');
  const env = noVariables();
  let at = bodyStart;
  for (let count = 0; at < text.length; count += 1) {
    if (count === variablesMax) return malformed(`there are more than ${variablesMax} variables`, at);
    const end = text.indexOf('\0', at);
    const equals = text.indexOf('=', at);
    if (equals === -1 || equals > end) return malformed('a variable has no "="', at);
    if (equals === at) return malformed('a variable has no name', at);
    const key = isPlain ? text.slice(at, equals) : utf8Of(text.slice(at, equals));
    let value = text.slice(equals + 1, end);
    if (hasNewline) value = cutAtNewline(value);
    if (!isPlain) value = utf8Of(value);
    if (isCore(key) && env[key] !== undefined) return malformed(`${key} is there twice`, at);
    env[key] = value;
    at = end + 1;
  }
  return ueventOf(env, arrival, { bytes, start, text, isPlain });
}

function ueventOf(
  env: Variables,
  { origin, receivedAtMs }: Arrival,
  { bytes, start, text, isPlain }: { bytes: Buffer; start: number; text: string; isPlain: boolean },
): ParsedMessage {
  const action = env['ACTION'];
  if (action === undefined) return malformed('there is no ACTION', text.length);
  if (!ACTION_NAMES.has(action)) return malformed(`the action ${quote(action)} is unknown`, offsetOf(text, 'ACTION'));
  const devpath = parseDevpath(env['DEVPATH'] ?? '');
  if (devpath === undefined || (!isPlain && !isExact(bytes, start, text))) {
    return env['DEVPATH'] === undefined
      ? malformed('there is no DEVPATH', text.length)
      : malformed(`DEVPATH ${quote(env['DEVPATH'])} is not a path below /sys`, offsetOf(text, 'DEVPATH'));
  }
  const subsystem = env['SUBSYSTEM'];
  if (subsystem === undefined || subsystem === '') return malformed('there is no SUBSYSTEM', text.length);
  const seqnum = parseSeqnum(env['SEQNUM'] ?? '');
  if (seqnum === undefined) {
    return env['SEQNUM'] === undefined
      ? malformed('there is no SEQNUM', text.length)
      : malformed(`SEQNUM ${quote(env['SEQNUM'])} is not a number from 1 to 2^64-1`, offsetOf(text, 'SEQNUM'));
  }
  const synthUuid = env['SYNTH_UUID'];
  const uevent = { action: action as Action, devpath, subsystem, seqnum, env, origin, receivedAtMs };
  return { kind: 'uevent', uevent: synthUuid === undefined ? uevent : Object.assign(uevent, { synthUuid }) };
}

export function malformed(reason: string, offsetBytes: number): ParsedMessage {
  return { kind: 'malformed', reason, offsetBytes };
}

/** Text from outside, short and on one line, for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function isCore(key: string): boolean {
  return key === 'ACTION' || key === 'DEVPATH' || key === 'SUBSYSTEM' || key === 'SEQNUM';
}

function cutAtNewline(value: string): string {
  const newline = value.indexOf('\n');
  return newline === -1 ? value : value.slice(0, newline);
}

function utf8Of(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

/** Whether the bytes of DEVPATH are UTF-8, so that the string names the same file as they do. */
function isExact(bytes: Buffer, start: number, text: string): boolean {
  const at = offsetOf(text, 'DEVPATH');
  return isUtf8(bytes.subarray(start + at, start + text.indexOf('\0', at)));
}

function offsetOf(text: string, key: string): number {
  return text.indexOf(`\0${key}=`) + 1;
}
