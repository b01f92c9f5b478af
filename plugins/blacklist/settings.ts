import * as v from 'valibot';
import { patterns, text } from '../setting-values.ts';
import { DAYS, parseClock } from './time-window.ts';

const clock = v.pipe(
  v.string(),
  v.check(value => parseClock(value) !== undefined, 'wanted a time of day from "00:00" to "24:00"'),
);

const rule = v.pipe(
  v.strictObject({
    modules: v.optional(patterns),
    modalias: v.optional(patterns),
    bus: v.optional(patterns),
    port: v.optional(patterns),
    from: v.optional(clock),
    until: v.optional(clock),
    days: v.optional(v.pipe(v.array(v.picklist(DAYS)), v.minLength(1, 'the list is empty: no day would be meant'))),
    verdict: v.optional(v.picklist(['deny', 'hold']), 'deny'),
    reason: v.optional(text),
  }),
  v.check(
    ({ modules, modalias, bus, port }) => [modules, modalias, bus, port].some(key => key !== undefined),
    'it names no modules, modalias, bus or port, and would stop everything',
  ),
  v.check(({ from, until }) => (from === undefined) === (until === undefined), 'from and until go together'),
  v.check(({ from, until }) => from === undefined || from !== until, 'from and until are the same moment'),
);

/** What `plugins/blacklist.toml` may say. */
export const blacklistSettings = v.strictObject({ rules: v.optional(v.array(rule), []) });

export type BlacklistRule = v.InferOutput<typeof rule>;
