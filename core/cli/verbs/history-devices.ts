import type { KnownDevice } from '../../pipeline/7-ledger/questions.ts';
import { formatNumber, formatShortTime } from '../../pipeline/8-report/quantity.ts';
import { deviceOption, limitOption, momentOption } from '../history-options.ts';
import { withHistory } from '../open-history.ts';
import { textOption } from '../option-values.ts';
import { printRecords, RECORD_OPTIONS, type RecordColumn } from '../print-records.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const historyDevices: Verb = {
  name: 'history devices',
  summary: 'list every device the record knows, with when it was seen first and last',
  description: [
    'A device is one devpath with one modalias: another stick in the same port is another device. The newest come first.',
  ],
  arguments: [],
  options: [
    { flags: '--new-since <time>', description: 'only devices never seen before this moment' },
    { flags: '-d, --device <device>', description: 'devpath, sysname, or a pattern of either', completes: 'device' },
    { flags: '-s, --subsystem <name>', description: 'only this subsystem', completes: 'subsystem' },
    { flags: '-n, --limit <count>', description: 'at most so many, the newest' },
    ...RECORD_OPTIONS,
  ],
  examples: [
    { command: 'usher history devices --new-since 7d', does: 'Devices never seen before this week.' },
    { command: "usher history devices -d 'usb1/1-2*'", does: 'When the devices of one port were seen first and last.' },
  ],
  run: runHistoryDevices,
};

const COLUMNS: readonly RecordColumn<KnownDevice>[] = [
  time('firstSeen', 'FIRST SEEN', ({ firstSeenMs }) => firstSeenMs),
  time('lastSeen', 'LAST SEEN', ({ lastSeenMs }) => lastSeenMs),
  { field: 'adds', title: 'ADDED', align: 'right', value: ({ adds }) => adds, shown: ({ adds }) => formatNumber(adds) },
  {
    field: 'events',
    title: 'EVENTS',
    align: 'right',
    value: ({ events }) => events,
    shown: ({ events }) => formatNumber(events),
  },
  { field: 'subsystem', title: 'SUBSYSTEM', value: ({ subsystem }) => subsystem },
  { field: 'devpath', title: 'DEVICE', canShrink: true, value: ({ devpath }) => devpath },
  { field: 'modalias', title: 'MODALIAS', canShrink: true, value: ({ modalias }) => modalias },
];

function time(field: string, title: string, of: (device: KnownDevice) => number): RecordColumn<KnownDevice> {
  return { field, title, value: item => new Date(of(item)).toISOString(), shown: item => formatShortTime(of(item)) };
}

async function runHistoryDevices(_args: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const devices = await withHistory(caller, history =>
    history.devices({
      device: deviceOption(options),
      subsystem: textOption(options, 'subsystem'),
      newSinceMs: momentOption(options, 'newSince', '--new-since', Date.now()),
      limit: limitOption(options),
    }),
  );
  printRecords(devices, COLUMNS, options, caller);
  return 0;
}
