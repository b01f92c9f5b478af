import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { definePlugin } from '../../core/plugin-api/index.ts';
import { patterns } from '../setting-values.ts';
import { UnusedModules } from './unused-modules.ts';

/** A day without its device is as good as for ever, and a timer must end somewhere. */
const AFTER_MAX_MINUTES = 24 * 60;

/** Nobody waits for what is only written down, on however busy a machine. In milliseconds. */
const DEADLINE_MS = 60_000;

const settings = v.strictObject({
  after_minutes: v.optional(
    v.pipe(v.number(), v.gtValue(0, 'wanted more than 0'), v.maxValue(AFTER_MAX_MINUTES, 'wanted at most a day: 1440')),
    10,
  ),
  keep: v.optional(patterns),
});

/** Removes modules that usherd loaded for a device, some time after the last such device went. See README.md beside it. */
export default definePlugin({
  name: 'unload-unused',
  api: 1,
  summary: 'removes modules some time after their last device went',
  needs: ['unload'],
  settings,
  setup: async context => {
    const { after_minutes: minutes, keep = [] } = context.settings;
    const unused = new UnusedModules({ afterMs: minutes * 60_000, keep, bootId: readBootId() }, context);
    context.onStop(() => unused.stop());
    await unused.start();
    return [
      {
        // Also of devices whose module was there already: they use it, and nothing is inserted for them.
        kind: 'report',
        deadlineMs: DEADLINE_MS,
        call: report => (report.kind === 'handled' ? unused.loaded(report) : undefined),
      },
      {
        kind: 'observe',
        deadlineMs: DEADLINE_MS,
        filter: { action: ['remove', 'unbind'] },
        call: ({ devpath }) => unused.released(devpath),
      },
    ];
  },
});

/** After the next boot no module is one that we loaded. Source: random(4), /proc/sys/kernel/random/boot_id. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
