import type { DriverSpan } from '../../pipeline/7-ledger/questions.ts';
import { formatShortTime } from '../../pipeline/8-report/quantity.ts';
import { deviceOption, limitOption, momentOption } from '../history-options.ts';
import { withHistory } from '../open-history.ts';
import { textOption } from '../option-values.ts';
import { printRecords, RECORD_OPTIONS, type RecordColumn } from '../print-records.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const historyDrivers: Verb = {
  name: 'history drivers',
  summary: 'say which driver a device had, from when to when',
  description: [
    'From the bind and unbind events, and from what each start of the daemon found. With --since and --until: every driver that was there at some moment between.',
    'A span that ended with restart ended because usherd stopped listening; the device may have kept its driver.',
  ],
  arguments: [],
  options: [
    { flags: '-d, --device <device>', description: 'devpath, sysname, or a pattern of either', completes: 'device' },
    { flags: '--driver <name>', description: 'only this driver' },
    { flags: '--since <time>', description: 'a date, a time ago (15m, 2h, 3d), today, yesterday' },
    { flags: '--until <time>', description: 'before this moment' },
    { flags: '-n, --limit <count>', description: 'at most so many, the newest' },
    ...RECORD_OPTIONS,
  ],
  examples: [
    {
      command: 'usher history drivers -d 0000:00:1f.6 --since 2026-03-01 --until 2026-04-01',
      does: 'Which driver a card had in March.',
    },
  ],
  run: runHistoryDrivers,
};

const COLUMNS: readonly RecordColumn<DriverSpan>[] = [
  {
    field: 'from',
    title: 'FROM',
    value: ({ fromMs }) => new Date(fromMs).toISOString(),
    shown: ({ fromMs }) => formatShortTime(fromMs),
  },
  {
    field: 'to',
    title: 'TO',
    value: ({ toMs }) => (toMs === undefined ? undefined : new Date(toMs).toISOString()),
    shown: ({ toMs }) => (toMs === undefined ? 'now' : formatShortTime(toMs)),
  },
  { field: 'ended', title: 'ENDED BY', value: ({ ended }) => ended },
  { field: 'driver', title: 'DRIVER', value: ({ driver }) => driver },
  { field: 'devpath', title: 'DEVICE', canShrink: true, value: ({ devpath }) => devpath },
  { field: 'entry', title: 'ENTRY', align: 'right', value: ({ entry }) => entry },
];

async function runHistoryDrivers(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const now = Date.now();
  const spans = await withHistory(caller, history =>
    history.drivers({
      device: deviceOption(options),
      driver: textOption(options, 'driver'),
      sinceMs: momentOption(options, 'since', '--since', now),
      untilMs: momentOption(options, 'until', '--until', now),
      limit: limitOption(options),
    }),
  );
  printRecords(spans, COLUMNS, options, caller);
  return 0;
}
