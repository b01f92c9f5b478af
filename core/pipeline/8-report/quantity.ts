const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Milliseconds since 1970 → local time as ISO 8601 has it, with a blank for the T: `2026-11-23 04:08:20.123+01:00`. */
export function formatTime(atMs: number): string {
  const zone = -new Date(atMs).getTimezoneOffset();
  const sign = zone < 0 ? '-' : '+';
  const offset = `${sign}${two(Math.floor(Math.abs(zone) / 60))}:${two(Math.abs(zone) % 60)}`;
  return `${formatShortTime(atMs)}${offset}`;
}

/** As formatTime, without the zone: for tables. */
export function formatShortTime(atMs: number): string {
  const date = new Date(atMs);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** A moment as seen from another: `just now`, `12 s ago`, `3 days ago`, `in 5 min`. */
export function formatRelative(atMs: number, nowMs: number): string {
  const apart = Math.abs(nowMs - atMs);
  if (apart < SECOND_MS) return 'just now';
  const text = coarse(apart);
  return atMs <= nowMs ? `${text} ago` : `in ${text}`;
}

/** A length of time in the two units that say most: `850 µs`, `3.3 ms`, `1.50 s`, `2 min 5 s`, `3 days 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(2)} s`;
  const units: readonly [number, string][] = [
    [DAY_MS, 'days'],
    [HOUR_MS, 'h'],
    [MINUTE_MS, 'min'],
    [SECOND_MS, 's'],
  ];
  const start = units.findIndex(([size]) => ms >= size);
  const [big, small] = units.slice(start, start + 2);
  if (big === undefined || small === undefined) return `${Math.floor(ms / SECOND_MS)} s`;
  const count = Math.floor(ms / big[0]);
  const rest = Math.floor((ms % big[0]) / small[0]);
  const whole = `${count} ${plural(big[1], count)}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small[1]}`;
}

/** `1 event`, `50,000 events`. */
export function formatCount(count: number | bigint, noun: string): string {
  return `${formatNumber(count)} ${noun}${Number(count) === 1 ? '' : 's'}`;
}

/** `50,000`, whatever the locale. */
export function formatNumber(count: number | bigint): string {
  return count.toString().replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `512 bytes`, `12.3 KiB`, `1.6 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return formatCount(bytes, 'byte');
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

function coarse(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} days`;
}

function plural(unit: string, count: number): string {
  return unit === 'days' && count === 1 ? 'day' : unit;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
