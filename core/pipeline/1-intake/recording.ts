import { isUtf8 } from 'node:buffer';
import { UsherdError } from '../../errors.ts';
import { assertNever } from '../../vocabulary/assert-never.ts';
import { parseDevpath, type Devpath } from '../../vocabulary/devpath.ts';
import type { Problem } from '../../vocabulary/place.ts';
import type { IntakeGroup } from './admission.ts';
import type { Loss } from './intake-sink.ts';

/*
 * A recording (*.uevents) is JSON Lines: a header, then one thing that happened per line, in order, `t` in milliseconds from the start.
 *
 *   {"usherd-recording":1,"kernel":"6.1.0-18-amd64","started":"2026-11-23T04:08:00Z"}
 *   {"t":0,"from":"kernel","raw":"add@/devices/virtual/net/lo\u0000ACTION=add\u0000…"}       a datagram, byte for byte
 *   {"t":1,"from":"udev","rawBase64":"bGlidWRldgD+7cr+…"}                                  one that is not UTF-8
 *   {"t":2,"sysfs":"/devices/…","attrs":{"type":"772"},"links":{"subsystem":"../../class/net"}}   what sysfs said at that moment
 *   {"t":9,"lost":"overrun","dropped":"17"}                                                uevents happened that are not here
 */
const VERSION = 1;
/** A datagram of udevd's has at most 128 KiB here, and JSON writes a byte in at most six; sysfs attributes are a page each. */
export const RECORDING_LINE_MAX_CHARACTERS = 1024 * 1024;

export interface RecordingHeader {
  /** Release of the kernel it was made on. */
  readonly kernel: string;
  readonly started: Date;
}

/** One line of a recording after its header. */
export type RecordingItem =
  | { readonly kind: 'datagram'; readonly tMs: number; readonly from: IntakeGroup; readonly bytes: Buffer }
  | {
      readonly kind: 'sysfs';
      readonly tMs: number;
      readonly devpath: Devpath;
      readonly attrs: Readonly<Record<string, string>>;
      readonly links: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'lost'; readonly tMs: number; readonly reason: Loss['kind']; readonly dropped?: bigint };

export interface Recording {
  readonly header: RecordingHeader;
  readonly items: readonly RecordingItem[];
  readonly problems: readonly Problem[];
}

/** The header → its line, newline included. */
export function formatRecordingHeader({ kernel, started }: RecordingHeader): string {
  return `${JSON.stringify({ 'usherd-recording': VERSION, kernel, started: started.toISOString() })}\n`;
}

/** One item → its line, newline included. */
export function formatRecordingItem(item: RecordingItem): string {
  const t = item.tMs;
  switch (item.kind) {
    case 'datagram': {
      const raw = isUtf8(item.bytes)
        ? { raw: item.bytes.toString('utf8') }
        : { rawBase64: item.bytes.toString('base64') };
      return `${JSON.stringify({ t, from: item.from, ...raw })}\n`;
    }
    case 'sysfs':
      return `${JSON.stringify({ t, sysfs: item.devpath, attrs: item.attrs, links: item.links })}\n`;
    case 'lost':
      return `${JSON.stringify({ t, lost: item.reason, ...(item.dropped === undefined ? {} : { dropped: String(item.dropped) }) })}\n`;
    default:
      return assertNever(item);
  }
}

/**
 * Text of a recording → its header and items. A line that makes no sense is a problem with its number, and the rest is read.
 * @throws {UsherdError} RECORDING_DAMAGED when the first line is no header of a version this reader knows.
 */
export function parseRecording(text: string, file: string): Recording {
  const lines = text.split('\n');
  const header = parseHeader(lines[0] ?? '', file);
  const items: RecordingItem[] = [];
  const problems: Problem[] = [];
  let lastMs = 0;
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '') continue;
    const item = parseItem(line, lastMs);
    if (typeof item === 'string') problems.push({ place: { file, line: index + 1 }, message: item });
    else {
      items.push(item);
      lastMs = item.tMs;
    }
  }
  return { header, items, problems };
}

function parseHeader(line: string, file: string): RecordingHeader {
  const fields = objectOf(line);
  const [version, kernel, started] = [fields?.['usherd-recording'], fields?.['kernel'], fields?.['started']];
  if (version !== VERSION) {
    const found = version === undefined ? 'has no "usherd-recording"' : `is of version ${JSON.stringify(version)}`;
    throw new UsherdError('RECORDING_DAMAGED', `${file}:1: the header ${found}, this reader knows version ${VERSION}`, {
      file,
    });
  }
  const date = new Date(typeof started === 'string' ? started : Number.NaN);
  if (typeof kernel !== 'string' || Number.isNaN(date.getTime())) {
    throw new UsherdError('RECORDING_DAMAGED', `${file}:1: the header wants "kernel" and "started" as texts`, { file });
  }
  return { kernel, started: date };
}

/** One line → its item, or what is wrong with it. */
function parseItem(line: string, lastMs: number): RecordingItem | string {
  if (line.length > RECORDING_LINE_MAX_CHARACTERS) {
    return `the line has ${line.length} characters, at most ${RECORDING_LINE_MAX_CHARACTERS} are read`;
  }
  const fields = objectOf(line);
  if (fields === undefined) return 'the line is not a JSON object';
  const tMs = fields['t'];
  if (typeof tMs !== 'number' || !Number.isFinite(tMs) || tMs < lastMs) {
    return `"t" is ${JSON.stringify(tMs) ?? 'missing'}, wanted a number of milliseconds from ${lastMs} on`;
  }
  if (fields['from'] !== undefined) return parseDatagram(fields, tMs);
  if (fields['sysfs'] !== undefined) return parseSysfs(fields, tMs);
  if (fields['lost'] !== undefined) return parseLost(fields, tMs);
  return 'the line has none of "from", "sysfs" and "lost"';
}

function parseDatagram(fields: Record<string, unknown>, tMs: number): RecordingItem | string {
  const { from, raw, rawBase64 } = fields;
  if (from !== 'kernel' && from !== 'udev') return `"from" is ${JSON.stringify(from)}, wanted "kernel" or "udev"`;
  if (typeof raw === 'string') return { kind: 'datagram', tMs, from, bytes: Buffer.from(raw) };
  if (typeof rawBase64 !== 'string') return 'a datagram wants "raw" or "rawBase64" as a text';
  const bytes = Buffer.from(rawBase64, 'base64');
  // Node leaves out what is not base64 without a word.
  if (bytes.toString('base64') !== rawBase64) return '"rawBase64" is not base64 with its padding';
  return { kind: 'datagram', tMs, from, bytes };
}

function parseSysfs(fields: Record<string, unknown>, tMs: number): RecordingItem | string {
  const { sysfs, attrs, links } = fields;
  const devpath = typeof sysfs === 'string' ? parseDevpath(sysfs) : undefined;
  if (devpath === undefined) return `"sysfs" is ${JSON.stringify(sysfs)}, wanted a path below /sys`;
  const [texts, targets] = [textsOf(attrs), textsOf(links)];
  if (texts === undefined || targets === undefined) return '"attrs" and "links" must be objects with texts in them';
  return { kind: 'sysfs', tMs, devpath, attrs: texts, links: targets };
}

function parseLost(fields: Record<string, unknown>, tMs: number): RecordingItem | string {
  const { lost, dropped } = fields;
  // Plain `true` is what the first recordings had.
  const reason = lost === true ? 'overrun' : lost;
  if (reason !== 'overrun' && reason !== 'truncated' && reason !== 'queue-full') {
    return `"lost" is ${JSON.stringify(lost)}, wanted "overrun", "truncated" or "queue-full"`;
  }
  if (dropped === undefined) return { kind: 'lost', tMs, reason };
  if (typeof dropped !== 'string' || !/^[0-9]{1,20}$/.test(dropped)) {
    return `"dropped" is ${JSON.stringify(dropped)}, wanted a number as a text`;
  }
  return { kind: 'lost', tMs, reason, dropped: BigInt(dropped) };
}

function objectOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** An object with only texts in it → the same without a prototype; nothing → an empty one. */
function textsOf(value: unknown): Record<string, string> | undefined {
  if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) return undefined;
  const entries = Object.entries(value ?? {});
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) return undefined;
  const texts: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [key, text] of entries) texts[key] = text;
  return texts;
}
