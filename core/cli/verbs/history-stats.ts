import { formatBars, sparkLine } from '../../pipeline/8-report/bar-chart.ts';
import { formatBytes, formatCount, formatNumber, formatShortTime } from '../../pipeline/8-report/quantity.ts';
import { span, writeSpans } from '../../pipeline/8-report/terminal.ts';
import type { Count, GroupKey } from '../../pipeline/7-ledger/count-by.ts';
import { momentOption } from '../history-options.ts';
import { withHistory } from '../open-history.ts';
import { printJson, printLines, terminal } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

const DAY_MS = 86_400_000;
/** A sign a day: what fits a terminal. */
const SHOWN_DAYS = 60;
/** Bars of each chart. */
const SHOWN_MOST = 8;

const CHARTS: readonly GroupKey[] = ['subsystem', 'action', 'origin', 'device', 'module', 'verdict', 'rule', 'outcome'];

export const historyStats: Verb = {
  name: 'history stats',
  summary: 'draw how much happened, when, and to what',
  description: [
    'Counts that are kept beside the events, so that the answer takes no longer for ten million of them. Days are those of UTC. Devices are counted over the whole record.',
  ],
  arguments: [],
  options: [
    { flags: '--since <time>', description: `from this moment on; the last ${SHOWN_DAYS} days unless said` },
    { flags: '--until <time>', description: 'before this moment' },
  ],
  examples: [{ command: 'usher history stats --since 7d', does: 'The week in a screen.' }],
  run: runHistoryStats,
};

async function runHistoryStats(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const now = Date.now();
  const untilMs = momentOption(options, 'until', '--until', now) ?? now;
  const sinceMs = momentOption(options, 'since', '--since', now) ?? untilMs - SHOWN_DAYS * DAY_MS;
  const { days, charts, facts } = await withHistory(caller, history => ({
    days: history.counts('day', { sinceMs, untilMs }),
    charts: CHARTS.map(key => ({
      key,
      counts: history.counts(key, key === 'device' ? {} : { sinceMs, untilMs }),
    })),
    facts: history.size(),
  }));
  if (caller.isJson) {
    const counted = Object.fromEntries(charts.map(({ key, counts }) => [key, counts]));
    printJson(caller, { sinceMs, untilMs, ...facts, day: days, ...counted });
    return 0;
  }
  const look = terminal(caller);
  const title = (text: string): string => writeSpans([span('title', text)], look);
  const total = days.reduce((sum, { count }) => sum + count, 0);
  const perDay = everyDay(days, Math.max(sinceMs, untilMs - 366 * DAY_MS), untilMs);
  printLines(caller, [
    `${title('events')}  ${formatNumber(total)} from ${formatShortTime(sinceMs)} to ${formatShortTime(untilMs)}`,
    `${title('record')}  ${formatCount(facts.rows, 'row')} in ${formatBytes(facts.sizeBytes)}`,
    '',
    title(`events a day, at most ${formatNumber(Math.max(0, ...perDay))}`),
    sparkLine(perDay, look),
  ]);
  for (const { key, counts } of charts) {
    if (counts.length === 0) continue;
    const bars = counts.slice(0, SHOWN_MOST).map(({ key: label, count }) => ({ label, count }));
    const more = counts.length > SHOWN_MOST ? [`and ${formatNumber(counts.length - SHOWN_MOST)} more`] : [];
    printLines(caller, ['', title(`by ${key}`), ...formatBars(bars, look), ...more]);
  }
  return 0;
}

/** Counts by day → one for each day of the window, 0 where nothing happened. */
function everyDay(days: readonly Count[], sinceMs: number, untilMs: number): number[] {
  const byDay = new Map(days.map(({ key, count }) => [key, count]));
  const counts: number[] = [];
  for (let day = Math.floor(sinceMs / DAY_MS); day * DAY_MS < untilMs; day++)
    counts.push(byDay.get(new Date(day * DAY_MS).toISOString().slice(0, 10)) ?? 0);
  return counts;
}
