import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Seqnum } from '../../vocabulary/seqnum.ts';
import type { Action, Origin } from '../1-intake/uevent.ts';
import type { VerdictKind } from '../4-policy/opinion.ts';
import type { EntryResult } from './deliberation.ts';
import type { EntryState } from './history-entry.ts';
import type { EntryId } from './entry-id.ts';
import { sqliteInteger } from './row-writer.ts';

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
  readonly result?: EntryResult | Exclude<EntryState, 'ended'> | undefined;
  readonly origin?: Origin['kind'] | undefined;
  readonly runId?: number | undefined;
  readonly bootId?: string | undefined;
  readonly seqnumFrom?: Seqnum | undefined;
  /** Inclusive. */
  readonly seqnumTo?: Seqnum | undefined;
  /** Newest first unless said otherwise. */
  readonly order?: 'newest-first' | 'oldest-first' | undefined;
  /** Only what stands after this entry in that order: the next page. */
  readonly after?: EntryId | undefined;
  readonly limit?: number | undefined;
}

export interface SqlCondition {
  /** Joined by AND; `1` when there is no condition. */
  readonly where: string;
  readonly values: readonly (string | number | bigint)[];
}

/** A filter → its condition over `uevent`. Values are only ever bound, never part of the text. */
export function conditionOf(filter: HistoryFilter, liveRun: number | undefined): SqlCondition {
  const parts: string[] = [];
  const values: (string | number | bigint)[] = [];
  const want = (sql: string, ...bound: (string | number | bigint)[]): void => {
    parts.push(sql);
    values.push(...bound);
  };
  const { sinceMs, untilMs, device, module, verdict, result, runId, bootId, seqnumFrom, seqnumTo } = filter;
  if (sinceMs !== undefined) want('uevent.at_ms >= ?', sinceMs);
  if (untilMs !== undefined) want('uevent.at_ms < ?', untilMs);
  if (device !== undefined) want(...deviceCondition(device));
  for (const column of ['subsystem', 'action', 'origin'] as const) {
    const text = filter[column];
    if (text !== undefined) want(`uevent.${column} = (SELECT id FROM str WHERE text = ?)`, text);
  }
  const wantTag = (text: string): void =>
    want('uevent.id IN (SELECT entry FROM tag WHERE what = (SELECT id FROM str WHERE text = ?))', text);
  if (module !== undefined) wantTag(module);
  if (verdict !== undefined) wantTag(`verdict=${verdict}`);
  if (result === 'recorded') want('decision.id IS NULL');
  else if (result === 'open' || result === 'interrupted')
    want(
      `uevent.id IN (SELECT entry FROM decision WHERE entry NOT IN (SELECT entry FROM ending))
        AND uevent.run ${result === 'open' ? '=' : '<>'} ?`,
      liveRun ?? -1,
    );
  else if (result !== undefined) wantTag(`result=${result}`);
  if (runId !== undefined) want('uevent.run = ?', runId);
  if (bootId !== undefined) want('uevent.run IN (SELECT id FROM run WHERE boot_id = ?)', bootId);
  if (seqnumFrom !== undefined) want('uevent.seqnum >= ?', sqliteInteger(seqnumFrom));
  if (seqnumTo !== undefined) want('uevent.seqnum <= ?', sqliteInteger(seqnumTo));
  return { where: parts.length === 0 ? '1' : parts.join(' AND '), values };
}

function deviceCondition(device: string): [sql: string, value: string] {
  const isGlob = /[*?[]/.test(device);
  if (device.startsWith('/') && !isGlob) return ['uevent.devpath = (SELECT id FROM str WHERE text = ?)', device];
  const pattern = device.startsWith('/') ? device : `*/${device}`;
  return ['uevent.devpath IN (SELECT id FROM str WHERE text GLOB ?)', pattern];
}
