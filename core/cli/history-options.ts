import { UsherdError } from '../errors.ts';
import { ACTIONS, type Action } from '../pipeline/1-intake/uevent.ts';
import { VERDICT_KINDS, type VerdictKind } from '../pipeline/4-policy/opinion.ts';
import { ENTRY_RESULTS, type EntryResult } from '../pipeline/7-ledger/deliberation.ts';
import type { EntryId } from '../pipeline/7-ledger/entry-id.ts';
import type { EnvFilter, HistoryFilter } from '../pipeline/7-ledger/history-filter.ts';
import { moduleName } from '../vocabulary/module-name.ts';
import { parseSeqnum, type Seqnum } from '../vocabulary/seqnum.ts';
import { countOption, isSet, parseMoment, textOption } from './option-values.ts';
import type { OptionSpec, OptionValues } from './verb.ts';

const OUTCOMES = [...ENTRY_RESULTS, 'recorded', 'open', 'interrupted'] as const;

/** Bounds --limit: more entries than a ledger of years has. */
const LIMIT_MAX = 100_000_000;

/** Options that choose entries of the history. */
export const HISTORY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--since <time>', description: 'from this moment on: a date, a time ago (15m, 2h, 3d), today, yesterday' },
  { flags: '--until <time>', description: 'before this moment' },
  { flags: '-d, --device <device>', description: 'devpath, sysname, or a pattern of either', completes: 'device' },
  {
    flags: '-m, --module <name>',
    description: 'entries in which this module was a candidate, or in a plan; of incidents, those that name it',
    completes: 'module',
  },
  { flags: '-s, --subsystem <name>', description: 'only this subsystem', completes: 'subsystem' },
  { flags: '-a, --action <action>', description: 'only this action', choices: ACTIONS },
  { flags: '--verdict <verdict>', description: 'some module of the entry got this verdict', choices: VERDICT_KINDS },
  { flags: '--rule <rule>', description: 'this rule won: FILE:LINE, or who said it where it stands in no file' },
  { flags: '--outcome <outcome>', description: 'how the entry ended', choices: OUTCOMES },
  {
    flags: '--env <key=value>',
    description:
      "the event's environment has it, as ID_SERIAL_SHORT=001CC0EC34F1; a serial number is found although only its hash is kept",
  },
  { flags: '--from-seqnum <number>', description: 'from this SEQNUM on' },
  { flags: '--to-seqnum <number>', description: 'up to this SEQNUM' },
  { flags: '-n, --limit <count>', description: 'at most so many entries, the newest' },
  { flags: '--after <entry>', description: 'only what comes after this entry, in the order asked for: the next page' },
  { flags: '-r, --reverse', description: 'newest first' },
];

/** Options that choose by boot; turned into ids by open-history.ts. */
export const BOOT_OPTIONS: readonly OptionSpec[] = [
  { flags: '--boot <boot>', description: 'only this boot: 0 is the newest, -1 the one before, or a boot id' },
  { flags: '--since-boot <boot>', description: 'from this boot on' },
];

/** --device, with the /sys that people put before it taken off. */
export function deviceOption(values: OptionValues): string | undefined {
  return textOption(values, 'device')?.replace(/^\/sys(?=\/)/, '');
}

/** @throws {UsherdError} USAGE */
export function limitOption(values: OptionValues): number | undefined {
  return countOption(values, 'limit', { flag: '--limit', min: 1, max: LIMIT_MAX });
}

/** A time option → milliseconds since 1970. @throws {UsherdError} USAGE */
export function momentOption(values: OptionValues, key: string, flag: string, nowMs: number): number | undefined {
  const text = textOption(values, key);
  return text === undefined ? undefined : parseMoment(text, flag, nowMs);
}

/** Parsed options → the filter they mean. @throws {UsherdError} USAGE */
export function historyFilterOf(values: OptionValues, nowMs: number): HistoryFilter {
  const module = textOption(values, 'module');
  return {
    sinceMs: momentOption(values, 'since', '--since', nowMs),
    untilMs: momentOption(values, 'until', '--until', nowMs),
    device: deviceOption(values),
    module: module === undefined ? undefined : moduleName(module),
    subsystem: textOption(values, 'subsystem'),
    action: textOption(values, 'action') as Action | undefined,
    rule: textOption(values, 'rule'),
    env: envOption(values),
    after: countOption(values, 'after', { flag: '--after', min: 1, max: Number.MAX_SAFE_INTEGER }) as
      | EntryId
      | undefined,
    verdict: textOption(values, 'verdict') as VerdictKind | undefined,
    result: textOption(values, 'outcome') as EntryResult | 'recorded' | 'open' | 'interrupted' | undefined,
    seqnumFrom: seqnumOption(values, 'fromSeqnum', '--from-seqnum'),
    seqnumTo: seqnumOption(values, 'toSeqnum', '--to-seqnum'),
    limit: limitOption(values),
    order: isSet(values, 'reverse') || textOption(values, 'limit') !== undefined ? 'newest-first' : 'oldest-first',
  };
}

function envOption(values: OptionValues): EnvFilter | undefined {
  const text = textOption(values, 'env');
  if (text === undefined) return undefined;
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new UsherdError('USAGE', `--env has "${text}", wanted KEY=VALUE`);
  return { key, values: [value] };
}

function seqnumOption(values: OptionValues, key: string, flag: string): Seqnum | undefined {
  const text = textOption(values, key);
  if (text === undefined) return undefined;
  const seqnum = parseSeqnum(text);
  if (seqnum === undefined) throw new UsherdError('USAGE', `${flag} has "${text}", wanted a positive whole number`);
  return seqnum;
}
