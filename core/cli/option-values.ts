import { UsherdError } from '../errors.ts';
import type { OptionValues } from './verb.ts';

/** Value of a text option, or undefined when it was not given. */
export function textOption(values: OptionValues, key: string): string | undefined {
  const value = values[key];
  return typeof value === 'string' ? value : undefined;
}

export function isSet(values: OptionValues, key: string): boolean {
  return values[key] === true;
}

/** Values of a repeatable option, none when it was not given. */
export function listOption(values: OptionValues, key: string): readonly string[] {
  const value = values[key];
  return Array.isArray(value) ? value : typeof value === 'string' ? [value] : [];
}

/** Value of a number option. @throws {UsherdError} USAGE when it is no whole number in the range */
export function countOption(
  values: OptionValues,
  key: string,
  { flag, min = 0, max }: { flag: string; min?: number; max: number },
): number | undefined {
  const text = textOption(values, key);
  if (text === undefined) return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max))
    throw new UsherdError('USAGE', `${flag} has "${text}", wanted a whole number from ${min} to ${max}`);
  return number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, min: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 };

/**
 * A moment as people write it → milliseconds since 1970: `2026-11-23`, `2026-11-23 14:05`, an ISO time, `15m`, `2h`, `3d` (ago),
 * `today`, `yesterday`, `now`, `@1700000000` (seconds). Without a zone it is local time.
 * @throws {UsherdError} USAGE
 */
export function parseMoment(text: string, flag: string, nowMs: number): number {
  const ago = /^(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)(?:\s+ago)?$/.exec(text.trim());
  if (ago?.[1] !== undefined && ago[2] !== undefined) return nowMs - Number(ago[1]) * (UNITS[ago[2]] ?? 0);
  if (/^@\d+(?:\.\d+)?$/.test(text)) return Number(text.slice(1)) * 1000;
  if (text === 'now') return nowMs;
  if (text === 'today' || text === 'yesterday') {
    const midnight = new Date(nowMs);
    midnight.setHours(0, 0, 0, 0);
    if (text === 'yesterday') midnight.setDate(midnight.getDate() - 1);
    return midnight.getTime();
  }
  const isDateOnly = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const parsed = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(isDateOnly ? `${text}T00:00:00` : text) : Number.NaN;
  if (Number.isNaN(parsed)) {
    throw new UsherdError(
      'USAGE',
      `${flag} has "${text}", wanted a date (2026-11-23 14:05), a time ago (15m, 2h, 3d), today or yesterday`,
    );
  }
  return parsed;
}

/**
 * A moment to come as people write it → milliseconds since 1970: a time from now (`2h`, `30d`), a date or an ISO time.
 * @throws {UsherdError} USAGE also when it has passed
 */
export function parseDeadline(text: string, flag: string, nowMs: number): number {
  const ahead = /^(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)$/.exec(text.trim());
  const atMs =
    ahead?.[1] === undefined || ahead[2] === undefined
      ? parseMoment(text, flag, nowMs)
      : nowMs + Number(ahead[1]) * (UNITS[ahead[2]] ?? 0);
  if (atMs <= nowMs) throw new UsherdError('USAGE', `${flag} has "${text}", wanted a moment that is still to come`);
  return atMs;
}
