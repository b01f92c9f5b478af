import os from 'node:os';
import { definePlugin } from '../../core/plugin-api/index.ts';
import { messagesOf, OCCASIONS } from './message.ts';
import { openSink } from './open-sink.ts';
import { Outbox } from './outbox.ts';
import { notifySettings } from './settings.ts';

/** Tells people and other programs of what was denied, held or went wrong. See README.md beside it. */
export default definePlugin({
  name: 'notify',
  api: 1,
  summary: 'tells of denials, holds and failures by command, desktop notification or webhook',
  settings: notifySettings,
  setup: ({ settings, log, signal }) => {
    const outlets = settings.sinks.map(sink => ({
      on: new Set(sink.on ?? settings.on),
      outbox: new Outbox({ ...openSink(sink), log, signal }),
    }));
    const wanted = new Set(OCCASIONS.filter(occasion => outlets.some(({ on }) => on.has(occasion))));
    if (wanted.size === 0) return [];
    const host = os.hostname();
    return [
      {
        kind: 'report',
        call: report => {
          for (const message of messagesOf(report, wanted, host))
            for (const { on, outbox } of outlets) if (on.has(message.occasion)) outbox.put(message);
        },
      },
    ];
  },
});
