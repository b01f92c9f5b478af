import type { PluginLog } from '../plugin-api/context.ts';
import { clean } from './parse-answer.ts';
import { monotonicMs } from '../vocabulary/monotonic-clock.ts';

/** Lines of one plugin's log that are shown within the window; the others are counted. */
const LINES_MAX = 20;
const WINDOW_MS = 10_000;

/** Where a plugin's lines go. */
export type Say = (level: 'info' | 'warning' | 'error', message: string) => void;

/** What a plugin logs is said, one line each, but for what is too much: of that it is said how much it was. */
export function boundedLog(say: Say): PluginLog {
  let sinceMs = 0;
  let count = 0;
  const log = (level: Parameters<Say>[0], message: string): void => {
    const nowMs = monotonicMs();
    if (nowMs - sinceMs > WINDOW_MS) {
      const hidden = count - LINES_MAX;
      sinceMs = nowMs;
      count = 0;
      if (hidden > 0) say('warning', `${hidden} more lines were not shown`);
    }
    count += 1;
    if (count <= LINES_MAX) say(level, clean(message));
  };
  return {
    info: message => log('info', message),
    warn: message => log('warning', message),
    error: message => log('error', message),
  };
}
