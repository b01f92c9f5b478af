import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Seqnum } from '../../vocabulary/seqnum.ts';
import type { Action, Origin } from '../1-intake/uevent.ts';
import { VERDICT_KINDS, type VerdictKind } from '../4-policy/opinion.ts';
import type { EntryResult } from './deliberation.ts';
import type { EntryId } from './entry-id.ts';
import type { EntryState } from './history-entry.ts';
import { isIdentityKey } from './identity-keys.ts';
import { sqliteInteger } from './row-writer.ts';
import { escapeLine } from './uevent-row.ts';

/** Which entries are wanted: those that meet every condition given. */
export interface HistoryFilter {
  /** Milliseconds since 1970, inclusive. */
  readonly sinceMs?: number | undefined;
  /** Exclusive. */
  readonly untilMs?: number | undefined;
  /** A devpath, its last part (`sda`), or a glob of either with `*`, `?` and `[…]`. */
  readonly device?: string | undefined;
  readonly module?: ModuleName | undefined;
  readonly subsystem?: string | undefined;
  readonly action?: Action | undefined;
  /** Some module of the entry got this verdict. */
  readonly verdict?: VerdictKind | undefined;
  /** This rule won for some module of the entry: `FILE:LINE`, or who said it (tags.ts). */
  readonly rule?: string | undefined;
  readonly result?: EntryResult | Exclude<EntryState, 'ended'> | undefined;
  readonly origin?: Origin['kind'] | undefined;
  /** The event's environment has this key with this value, or with one of these: the plain one and its keyed hash. */
  readonly env?: EnvFilter | undefined;
  readonly runId?: number | undefined;
  /** All runs of a boot. */
  readonly bootId?: string | undefined;
  /** From the first run of a boot on. */
  readonly sinceBootId?: string | undefined;
  readonly seqnumFrom?: Seqnum | undefined;
  /** Inclusive. */
  readonly seqnumTo?: Seqnum | undefined;
  /** Newest first unless said otherwise. */
  readonly order?: 'newest-first' | 'oldest-first' | undefined;
  /** Only what stands after this entry in that order: the next page. */
  readonly after?: EntryId | undefined;
  readonly limit?: number | undefined;
  /** Only this entry, if it meets the rest. */
  readonly entry?: EntryId | undefined;
}

export interface EnvFilter {
  readonly key: string;
  readonly values: readonly string[];
  /** Events up to this one are from before it was noted which devices said what of themselves; 0 unless said. */
  readonly notedAfter?: number;
}

export type SqlValue = string | number | bigint;

/** How the entries a filter wants are found. */
export interface EntrySearch {
  /** Put before `uevent`: the index that has few of them, in the order of entries. */
  readonly driving: string;
  /** Joined by AND; `1` when there is no condition. Values are only ever bound, never part of the text. */
  readonly where: string;
  readonly values: readonly SqlValue[];
  /**
   * Entries come by the time they were received. Where few are found by another way than time, they come as they were recorded,
   * which is the same unless somebody set the clock.
   */
  readonly order: 'time' | 'id';
  /** Whether the hours in which there are such events are known (`activity`), so that the others need not be gone through. */
  readonly isInActivity: boolean;
}

const NAMED = '(SELECT id FROM str WHERE text = ?)';

/** Of the devices a pattern names: whether their events are found sooner by going through time, and the time they lie in. */
export interface DeviceSpread {
  readonly isOften: boolean;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A filter → the search for it. */
export function searchOf(filter: HistoryFilter, liveRun: number | undefined, spread?: DeviceSpread): EntrySearch {
  const parts: string[] = [];
  const values: SqlValue[] = [];
  const want = (sql: string, ...bound: SqlValue[]): void => {
    parts.push(sql);
    values.push(...bound);
  };
  const { sinceMs, untilMs, device, result, runId, bootId, sinceBootId, seqnumFrom, seqnumTo } = filter;
  const tags = tagsWanted(filter);
  for (const [n, texts] of tags.entries()) {
    // With one text the rows come in the order of entries, and nothing has to be sorted.
    const isOneOf =
      texts.length === 1 ? `= ${NAMED}` : `IN (SELECT id FROM str WHERE text IN (${texts.map(() => '?').join(', ')}))`;
    if (n === 0) want(`driving.what ${isOneOf}`, ...texts);
    else want(`EXISTS (SELECT 1 FROM tag WHERE what ${isOneOf} AND entry = uevent.id)`, ...texts);
  }
  if (filter.entry !== undefined) want('uevent.id = ?', filter.entry);
  if (sinceMs !== undefined) want('uevent.at_ms >= ?', sinceMs);
  if (untilMs !== undefined) want('uevent.at_ms < ?', untilMs);
  if (device !== undefined) {
    const { isOften, firstMs, lastMs } = spread ?? { isOften: false, firstMs: 0, lastMs: Number.MAX_VALUE };
    // The plus keeps SQLite from the index by device, and so from sorting all events of many devices.
    want(...deviceCondition(device, isOften ? '+uevent.devpath' : 'uevent.devpath'));
    if (isOften) want('uevent.at_ms >= ? AND uevent.at_ms <= ?', firstMs, lastMs);
  }
  for (const column of ['subsystem', 'action', 'origin'] as const) {
    const text = filter[column];
    // The plus keeps SQLite from looking for an index by it.
    if (text !== undefined) want(`+uevent.${column} = ${NAMED}`, text);
  }
  if (filter.env !== undefined) want(...envCondition(filter.env));
  if (result === 'recorded') want('decision.id IS NULL');
  else if (result === 'open' || result === 'interrupted')
    want(
      `uevent.id IN (SELECT entry FROM decision WHERE entry NOT IN (SELECT entry FROM ending))
        AND uevent.run ${result === 'open' ? '=' : '<>'} ?`,
      liveRun ?? -1,
    );
  if (runId !== undefined)
    want(`uevent.id > ? AND uevent.id < coalesce((SELECT min(id) FROM run WHERE id > ?), 1e18)`, runId, runId);
  for (const [sql, ...bound] of bootConditions('uevent.id', filter)) want(sql, ...bound);
  if (seqnumFrom !== undefined) want('uevent.seqnum >= ?', sqliteInteger(seqnumFrom));
  if (seqnumTo !== undefined) want('uevent.seqnum <= ?', sqliteInteger(seqnumTo));
  const isById = tags.length > 0 || (runId ?? bootId ?? sinceBootId) !== undefined;
  return {
    driving: tags.length > 0 ? 'tag AS driving CROSS JOIN' : '',
    where: [...(tags.length > 0 ? ['uevent.id = driving.entry'] : []), ...(parts.length === 0 ? ['1'] : parts)].join(
      ' AND ',
    ),
    values,
    order: isById ? 'id' : 'time',
    isInActivity:
      !isById &&
      filter.entry === undefined &&
      device === undefined &&
      (filter.subsystem ?? filter.action ?? filter.origin) !== undefined,
  };
}

const ENV_COLUMNS: Readonly<Record<string, string>> = {
  ACTION: 'action',
  DEVPATH: 'devpath',
  SUBSYSTEM: 'subsystem',
  MODALIAS: 'modalias',
  DRIVER: 'driver',
  SYNTH_UUID: 'synth_uuid',
};

/**
 * A key and its values → a condition that every event with one of them meets; others may meet it, too, since it looks for the value
 * anywhere in the environment. What identifies a device is looked for only where it was seen.
 */
function envCondition({ key, values, notedAfter = 0 }: EnvFilter): [sql: string, ...values: SqlValue[]] {
  const marks = values.map(() => '?').join(', ');
  const column = ENV_COLUMNS[key];
  if (column !== undefined) return [`uevent.${column} IN (SELECT id FROM str WHERE text IN (${marks}))`, ...values];
  const lines = values.map(escapeLine);
  const isIn = (text: string): string => `(${lines.map(() => `instr(${text}, ?)`).join(' OR ')})`;
  const inValues = `CASE typeof(uevent.env_values) WHEN 'text' THEN ${isIn('uevent.env_values')}
    ELSE uevent.env_values IN (SELECT id FROM str WHERE ${isIn('text')}) END`;
  if (!isIdentityKey(key)) return [inValues, ...lines, ...lines];
  const where = `SELECT devpath FROM identity WHERE what IN (SELECT id FROM str WHERE text IN (${marks}))`;
  const named = values.map(value => `${key}=${value}`);
  const isSeen = `uevent.devpath IN (${where})`;
  return notedAfter === 0
    ? [`${isSeen} AND ${inValues}`, ...named, ...lines, ...lines]
    : [`(${isSeen} OR uevent.id <= ?) AND ${inValues}`, ...named, notedAfter, ...lines, ...lines];
}

/** Which rows, by the column with their id, are of a boot, or from a boot on. */
export function bootConditions(
  id: string,
  { bootId, sinceBootId }: Pick<HistoryFilter, 'bootId' | 'sinceBootId'>,
): readonly [sql: string, ...values: SqlValue[]][] {
  const first = '(SELECT min(id) FROM run WHERE boot_id = ?)';
  const next = 'SELECT min(id) FROM run WHERE id > (SELECT max(id) FROM run WHERE boot_id = ?)';
  return [
    ...(bootId === undefined
      ? []
      : [[`${id} >= ${first} AND ${id} < coalesce((${next}), 1e18)`, bootId, bootId] as [string, ...SqlValue[]]]),
    ...(sinceBootId === undefined ? [] : [[`${id} >= ${first}`, sinceBootId] as [string, ...SqlValue[]]]),
  ];
}

/** Tags an entry must have, one of each group; the first group is the one that is likely to have the fewest. */
function tagsWanted({ module, verdict, rule, result }: HistoryFilter): readonly (readonly string[])[] {
  const isTagged = result !== undefined && result !== 'recorded' && result !== 'open' && result !== 'interrupted';
  return [
    ...(rule === undefined ? [] : [VERDICT_KINDS.map(kind => `rule=${kind} ${rule}`)]),
    ...(module === undefined ? [] : [[module]]),
    ...(verdict === undefined ? [] : [[`verdict=${verdict}`]]),
    ...(isTagged ? [[`result=${result}`]] : []),
  ];
}

/** A device as people name it → the condition that a column has its devpath's id. */
export function deviceCondition(device: string, column: string): [sql: string, value: string] {
  const isGlob = /[*?[]/.test(device);
  if (device.startsWith('/') && !isGlob) return [`${column} = ${NAMED}`, device];
  const pattern = device.startsWith('/') ? device : `*/${device}`;
  const known = 'SELECT id FROM str WHERE id IN (SELECT devpath FROM device) AND text GLOB ?';
  return [`${column} IN (${known})`, pattern];
}
