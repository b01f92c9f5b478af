import os from 'node:os';
import { UsherdError } from '../../errors.ts';
import type { History } from '../../pipeline/7-ledger/history.ts';
import { RECORD_KINDS, type RowRecord } from '../../pipeline/7-ledger/row-records.ts';
import { EXPORT_FORMATS, type ExportFormat, type Exporter } from '../../pipeline/8-report/export-format.ts';
import { momentOption } from '../history-options.ts';
import { withHistory } from '../open-history.ts';
import { countOption, isSet, listOption, textOption } from '../option-values.ts';
import { fileOutlet, journalOutlet, stdoutOutlet, type RecordOutlet } from '../record-outlet.ts';
import { readTailState, writeTailState, type TailState } from '../tail-state.ts';
import type { Caller, OptionSpec, OptionValues, Verb } from '../verb.ts';

/** Records handed over before it is noted how far we came. */
const PUT_AT_ONCE = 500;

const FORMATS = [...EXPORT_FORMATS, 'journald'] as const;

const OUTLET_OPTIONS: readonly OptionSpec[] = [
  { flags: '--format <format>', description: 'how records are written; jsonl unless said', choices: FORMATS },
  { flags: '--from <offset>', description: 'only records after this one; 0 for all' },
  { flags: '--kind <kind>', description: 'only records of this kind', choices: RECORD_KINDS, isRepeatable: true },
  { flags: '--output <file>', description: 'write to this file instead of standard output', completes: 'file' },
];

export const historyExport: Verb = {
  name: 'history export',
  summary: 'write the record out for other programs',
  description: [
    'Everything that was recorded, each row once, in the order of its offsets: uevents, decisions, endings, binds, incidents, requests, starts and ends of the daemon. A row never changes, so an offset names it for ever.',
    'jsonl is a JSON object a line; csv has the same columns for every kind and the rest as JSON; cloudevents is CloudEvents 1.0 as JSON lines; syslog is RFC 5424; journald sends each record to the journal with fields that begin with USHERD_.',
  ],
  arguments: [],
  options: [
    ...OUTLET_OPTIONS,
    { flags: '--since <time>', description: 'only what happened from this moment on' },
    { flags: '--until <time>', description: 'only what happened before this moment' },
  ],
  examples: [
    { command: 'usher history export --format cloudevents --since 1d', does: 'The last day as CloudEvents.' },
    {
      command: 'usher history export --format csv --kind uevent --output events.csv',
      does: 'All events for a spreadsheet.',
    },
  ],
  run: (_args, options, caller) => exportRecords(options, caller, false),
};

export const historyTail: Verb = {
  name: 'history tail',
  summary: 'hand the record on as it grows, and go on after a stop where it ended',
  description: [
    'Like usher history export, and then what is recorded from now on, until it is ended. With --state FILE it notes how far it came, and the next time goes on from there.',
    'With --output FILE each record stands in the file exactly once, also after a power cut: the state has the length of the file, and what was written beyond it is cut off. To a pipe or to journald the last few records can come twice after a kill; their offsets tell.',
  ],
  arguments: [],
  options: [
    ...OUTLET_OPTIONS,
    { flags: '--state <file>', description: 'where it is noted how far we came', completes: 'file' },
    { flags: '--once', description: 'end when all that is recorded now was handed on' },
  ],
  examples: [
    {
      command: 'usher history tail --format jsonl --state tail.json --output events.jsonl',
      does: 'A file of all that happens, kept whole over restarts.',
    },
    { command: 'usher history tail --format journald --state journald.json', does: 'Everything into the journal.' },
  ],
  run: (_args, options, caller) => exportRecords(options, caller, true),
};

async function exportRecords(options: OptionValues, caller: Caller, isTail: boolean): Promise<number> {
  const stateFile = isTail ? textOption(options, 'state') : undefined;
  const from = countOption(options, 'from', { flag: '--from', max: Number.MAX_SAFE_INTEGER });
  const known = stateFile === undefined ? undefined : readTailState(stateFile);
  if (known !== undefined && from !== undefined)
    throw new UsherdError(
      'USAGE',
      `--from has ${from}, but ${stateFile ?? ''} says that ${known.offset} were handed on`,
    );
  const exporter = { host: os.hostname(), ledger: '' };
  const outlet = await openOutlet(options, caller, { exporter, known });
  const handing = { outlet, stateFile, isWanted: wantedBy(options), caller, isTail, isOnce: isSet(options, 'once') };
  let handed = { offset: known?.offset ?? from ?? 0, ledger: known?.ledger };
  try {
    for (;;) {
      const end = await withHistory(caller, async history => {
        const ledger = history.identity();
        if (handed.ledger !== undefined && ledger !== undefined && handed.ledger !== ledger) {
          const message = `${history.path} is another ledger than that of which ${handed.offset} records were handed on`;
          caller.stderr.write(`usher: ${message}; it is begun from its first\n`);
          handed = { offset: 0, ledger };
        }
        exporter.ledger = ledger ?? '';
        return handOn(history, handed.offset, handing);
      });
      handed = end;
      if (!end.isReplaced) return 0;
    }
  } finally {
    outlet.close();
  }
}

interface HandingOn {
  readonly outlet: RecordOutlet;
  readonly stateFile: string | undefined;
  readonly isWanted: (record: RowRecord) => boolean;
  readonly caller: Caller;
  readonly isTail: boolean;
  readonly isOnce: boolean;
}

/** How far records were handed on, and whether another file stands in the ledger's place by now. */
interface HandedOn {
  readonly offset: number;
  readonly ledger: string | undefined;
  readonly isReplaced: boolean;
}

/** Hands on the records after `begin`, and notes how far it came each time they are where they should be. */
async function handOn(
  history: History,
  begin: number,
  { outlet, stateFile, isWanted, caller, isTail, isOnce }: HandingOn,
): Promise<HandedOn> {
  const { statSync } = await import('node:fs');
  const inode = (): number | undefined => statSync(history.path, { throwIfNoEntry: false })?.ino;
  const opened = inode();
  let offset = begin;
  let ledger = history.identity();
  let held: RowRecord[] = [];
  const hand = async (): Promise<void> => {
    await outlet.put(held.filter(isWanted));
    offset = held.at(-1)?.offset ?? offset;
    held = [];
    const outputBytes = outlet.sync();
    ledger ??= history.identity();
    if (stateFile !== undefined)
      writeTailState(stateFile, {
        offset,
        ...(outputBytes !== undefined && { outputBytes }),
        ...(ledger !== undefined && { ledger }),
      });
  };
  const end = (isReplaced: boolean): HandedOn => ({ offset, ledger, isReplaced });
  for (;;) {
    for (const record of history.records(offset + 1, history.lastId())) {
      held.push(record);
      if (held.length < PUT_AT_ONCE) continue;
      await hand();
      if (caller.signal.aborted) return end(false);
    }
    await hand();
    if (!isTail || isOnce) return end(false);
    if (inode() !== opened) return end(true);
    const { grown } = await import('../ledger-growth.ts');
    const isNews = (): boolean => history.lastId() > offset || inode() !== opened;
    if (!(await grown(history.path, caller.signal, isNews))) return end(false);
  }
}

function openOutlet(
  options: OptionValues,
  caller: Caller,
  { exporter, known }: { readonly exporter: Exporter; readonly known: TailState | undefined },
): Promise<RecordOutlet> | RecordOutlet {
  const format = textOption(options, 'format') ?? 'jsonl';
  const output = textOption(options, 'output');
  if (format === 'journald') {
    if (output !== undefined)
      throw new UsherdError('USAGE', '--output has a file, but journald takes the records itself');
    return journalOutlet(caller);
  }
  return output === undefined
    ? stdoutOutlet(format as ExportFormat, exporter, caller, known === undefined)
    : fileOutlet(output, format as ExportFormat, exporter, known?.outputBytes ?? 0);
}

function wantedBy(options: OptionValues): (record: RowRecord) => boolean {
  const kinds = new Set(listOption(options, 'kind'));
  const now = Date.now();
  const sinceMs = momentOption(options, 'since', '--since', now) ?? Number.NEGATIVE_INFINITY;
  const untilMs = momentOption(options, 'until', '--until', now) ?? Number.POSITIVE_INFINITY;
  return ({ kind, atMs }) => (kinds.size === 0 || kinds.has(kind)) && atMs >= sinceMs && atMs < untilMs;
}
