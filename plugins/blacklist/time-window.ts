/** As `days` are written, in the order Date counts them. */
export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Day = (typeof DAYS)[number];

/** A part of the day, on some days. It is in local time, as the clock on the wall shows it. */
export interface TimeWindow {
  /** Minutes since midnight; the window begins with this minute. */
  readonly fromMinute: number;
  /** Minutes since midnight; the window ends before this minute. At or before `fromMinute` it is one of the next day. */
  readonly untilMinute: number;
  /** Days on which the window begins: one from Friday 22:00 until 06:00 reaches into Saturday. */
  readonly days: readonly Day[];
}

const MINUTES_PER_DAY = 24 * 60;

/** `06:30` → minutes since midnight; `24:00` is the end of the day. Undefined for anything else. */
export function parseClock(text: string): number | undefined {
  const found = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(text);
  if (found === null) return undefined;
  const minutes = Number(found[1]) * 60 + Number(found[2]);
  return minutes > MINUTES_PER_DAY ? undefined : minutes;
}

/** Whether a moment lies in a window. Where the clock is put forward or back, what it shows counts. */
export function isWithin({ fromMinute, untilMinute, days }: TimeWindow, at: Date): boolean {
  const minute = at.getHours() * 60 + at.getMinutes();
  const begunOn = (daysAgo: number): boolean => days.includes(DAYS[(at.getDay() + 7 - daysAgo) % 7] ?? 'sun');
  if (fromMinute < untilMinute) return minute >= fromMinute && minute < untilMinute && begunOn(0);
  return (minute >= fromMinute && begunOn(0)) || (minute < untilMinute && begunOn(1));
}
