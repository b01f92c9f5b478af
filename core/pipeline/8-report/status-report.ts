import type { KernelRelease } from '../../vocabulary/kernel-release.ts';
import type { LedgerStats } from '../7-ledger/write-behind.ts';
import { toJson, type Json } from './json.ts';
import { formatBytes, formatCount, formatNumber, formatRelative, formatTime } from './quantity.ts';
import { span, writeSpans, type Span, type Terminal } from './terminal.ts';

/** What a running daemon says of itself. Counts are since it started. */
export interface StatusFacts {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly mode: 'observe' | 'load';
  /** Why it only observes, when it does. */
  readonly observesBecause?: string;
  readonly kernelRelease: KernelRelease;
  /** Absent when no tree was found; `triedModulesDirs` then says where. */
  readonly modulesDir?: string;
  readonly triedModulesDirs: readonly string[];
  /** Where events come from. */
  readonly source: string;
  /** Of the netlink socket; absent without one. */
  readonly bufferBytes?: number;
  readonly eventsHandled: number;
  readonly eventsInFlight: number;
  /** Datagrams that did not pass admission. */
  readonly eventsRejected: number;
  /** Times the kernel had to drop events. */
  readonly overruns: number;
  readonly modulesInserted: number;
  readonly loadsFailed: number;
  readonly ledger: LedgerStats;
  readonly plugins: readonly { readonly name: string; readonly state: string }[];
}

/** A daemon's facts → lines of name and value. */
export function formatStatus(facts: StatusFacts, nowMs: number, terminal: Terminal): string[] {
  const rows: readonly (readonly [name: string, value: readonly Span[]])[] = [
    ['usherd', [`${facts.version}, pid ${facts.pid}`]],
    ['running since', [`${formatTime(facts.startedAtMs)} (${formatRelative(facts.startedAtMs, nowMs)})`]],
    ['mode', modeSpans(facts)],
    ['kernel', [facts.kernelRelease]],
    ['module tree', treeSpans(facts)],
    [
      'events from',
      [facts.source, facts.bufferBytes === undefined ? '' : `, buffer ${formatBytes(facts.bufferBytes)}`],
    ],
    ['events', [`${formatNumber(facts.eventsHandled)} handled, ${formatNumber(facts.eventsInFlight)} in flight`]],
    ['rejected', [countSpan(facts.eventsRejected)]],
    ['overruns', [countSpan(facts.overruns)]],
    ['modules', [`${formatNumber(facts.modulesInserted)} inserted, `, countSpan(facts.loadsFailed), ' failed']],
    ['ledger', ledgerSpans(facts.ledger)],
    ['plugins', [facts.plugins.map(({ name, state }) => `${name} (${state})`).join(', ') || 'none']],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => writeSpans([span('title', name.padEnd(width)), '  ', ...value], terminal));
}

/** A daemon's facts → their JSON: the fields of StatusFacts. */
export function statusToJson(facts: StatusFacts): Json {
  return toJson(facts);
}

function modeSpans({ mode, observesBecause }: StatusFacts): Span[] {
  if (mode === 'load') return [span('good', 'loads modules')];
  return [span('warning', 'only observes'), observesBecause === undefined ? '' : `: ${observesBecause}`];
}

function treeSpans({ modulesDir, triedModulesDirs }: StatusFacts): Span[] {
  if (modulesDir !== undefined) return [modulesDir];
  return [span('warning', 'none'), `, looked for ${triedModulesDirs.join(', ')}`];
}

function ledgerSpans({ path, sizeBytes, writtenRows, heldRows, lostRows }: LedgerStats): Span[] {
  const held = heldRows === 0 ? [] : [`, ${formatCount(heldRows, 'row')} waiting`];
  const lost = lostRows === 0 ? [] : [', ', span('bad', `${formatCount(lostRows, 'row')} lost`)];
  return [`${path}, ${formatBytes(sizeBytes)}, ${formatCount(writtenRows, 'row')} written`, ...held, ...lost];
}

/** A count that should be zero. */
function countSpan(count: number): Span {
  return count === 0 ? '0' : span('warning', formatNumber(count));
}
