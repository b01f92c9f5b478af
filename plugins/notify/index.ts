import os from 'node:os';
import { definePlugin } from '../../core/plugin-api/index.ts';
import { messagesOf, OCCASIONS, type Message } from './message.ts';
import { openSink } from './open-sink.ts';
import { Outbox } from './outbox.ts';
import { Repeats } from './repeats.ts';
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
    const repeats = new Repeats(settings.repeat_minutes * 60_000);
    const tell = (message: Message): void => {
      const told = repeats.pass(message, Date.now());
      if (told === undefined) return;
      for (const { on, outbox } of outlets) if (on.has(told.occasion)) outbox.put(told);
    };
    return [
      {
        kind: 'report',
        call: report => {
          for (const message of messagesOf(report, wanted, host)) tell(message);
        },
      },
    ];
  },
});
