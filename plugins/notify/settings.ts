import * as v from 'valibot';
import { text } from '../setting-values.ts';
import { OCCASIONS } from './message.ts';
import { isSafeUrl } from './webhook.ts';

const TIMEOUT_MAX_SECONDS = 60;
const RETRIES_MAX = 10;
const REPEAT_MAX_MINUTES = 24 * 60;

const occasions = v.pipe(v.array(v.picklist(OCCASIONS)), v.minLength(1, 'the list is empty: nothing would be told'));
const seconds = v.pipe(
  v.number(),
  v.gtValue(0, 'wanted more than 0'),
  v.maxValue(TIMEOUT_MAX_SECONDS, 'wanted at most 60'),
);
const retries = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(RETRIES_MAX, 'wanted at most 10'));
const absolute = v.pipe(v.string(), v.startsWith('/', 'wanted an absolute path'));

const common = { on: v.optional(occasions) };

const command = v.strictObject({
  ...common,
  kind: v.literal('command'),
  run: v.pipe(
    v.array(v.string()),
    v.check(([program]) => program?.startsWith('/') === true, 'the first word must be the absolute path of a program'),
  ),
  timeout_seconds: v.optional(seconds, 10),
  retries: v.optional(retries, 0),
});

const desktop = v.strictObject({
  ...common,
  kind: v.literal('desktop'),
  users: v.optional(v.array(v.pipe(v.number(), v.integer(), v.minValue(0)))),
  timeout_seconds: v.optional(seconds, 10),
});

const webhook = v.pipe(
  v.strictObject({
    ...common,
    kind: v.literal('webhook'),
    url: v.optional(text),
    url_file: v.optional(absolute),
    token_file: v.optional(absolute),
    headers: v.optional(
      v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]+$/, 'wanted the name of a header')), v.string()),
      {},
    ),
    allow_plain_http: v.optional(v.boolean(), false),
    timeout_seconds: v.optional(seconds, 10),
    retries: v.optional(retries, 4),
    first_pause_seconds: v.optional(seconds, 1),
  }),
  v.check(({ url, url_file: file }) => (url === undefined) !== (file === undefined), 'wanted either url or url_file'),
  v.check(
    ({ url, allow_plain_http: plain }) => url === undefined || isSafeUrl(url, plain),
    'wanted a URL with https://, one of this machine, or allow_plain_http = true',
  ),
);

/** What `plugins/notify.toml` may say. */
export const notifySettings = v.strictObject({
  on: v.optional(occasions, ['denied', 'held', 'refused', 'failed', 'error']),
  repeat_minutes: v.optional(
    v.pipe(v.number(), v.minValue(0), v.maxValue(REPEAT_MAX_MINUTES, 'wanted at most a day: 1440')),
    10,
  ),
  sinks: v.optional(v.array(v.variant('kind', [command, desktop, webhook])), []),
});

export type NotifySettings = v.InferOutput<typeof notifySettings>;
export type Sink = NotifySettings['sinks'][number];
