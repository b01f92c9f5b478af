import { statSync } from 'node:fs';
import { openCandidate } from '../daemon/candidate-policy.ts';
import { causeOf, type DecisionDifference, type Said } from '../daemon/decision-difference.ts';
import type { Observer } from '../daemon/observer.ts';
import { judgeAgain, simulate } from '../daemon/simulate.ts';
import { UsherdError } from '../errors.ts';
import type { Handled } from '../pipeline/8-report/handled.ts';
import { formatCount, formatNumber, formatTime } from '../pipeline/8-report/quantity.ts';
import { span, type Span as Styled } from '../pipeline/8-report/terminal.ts';
import { runningRelease } from './call-verb.ts';
import { askDaemon } from './daemon-call.ts';
import { momentOption } from './history-options.ts';
import { withHistory } from './open-history.ts';
import { isSet, textOption } from './option-values.ts';
import { printJson, printSpans } from './output.ts';
import type { Caller, OptionValues } from './verb.ts';

const DEFAULT_SPAN_MS = 30 * 86_400_000;
/** Enough to see what a kind of difference is about. */
const EXAMPLES_MAX = 3;

/** One difference, and where it would have been. */
interface Found extends DecisionDifference {
  readonly atMs: number;
  readonly asked: string;
  readonly isGone: boolean;
}

/** Differences that are owed to the same and go the same way. */
interface Group {
  readonly cause: string;
  readonly from: Said['verdict'];
  readonly to: Said['verdict'];
  count: number;
  /** Of devices that are not here any more. */
  gone: number;
  readonly examples: Found[];
}

/** usher simulate → 1 when something would be other. @throws {UsherdError} USAGE, NOT_FOUND, FILE_UNREADABLE, DAEMON_UNREACHABLE */
export async function simulatePolicy(options: OptionValues, caller: Caller): Promise<number> {
  const dir = textOption(options, 'policy');
  if (dir === undefined)
    throw new UsherdError('USAGE', 'simulate needs --policy DIR, a folder laid out like /etc/usherd');
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsherdError('NOT_FOUND', `${dir}: there is no such folder`, { dir });
  const notice = (message: string): void => void caller.stderr.write(`usher: ${message}\n`);
  await using mind = await openCandidate(dir, caller.roots, caller.release ?? runningRelease(), notice);
  return isSet(options, 'shadow') ? await shadow(mind, caller) : await overRecord(mind, options, caller);
}

async function overRecord(mind: Observer, options: OptionValues, caller: Caller): Promise<number> {
  const nowMs = Date.now();
  const untilMs = momentOption(options, 'until', '--until', nowMs) ?? nowMs;
  const sinceMs = momentOption(options, 'since', '--since', nowMs) ?? untilMs - DEFAULT_SPAN_MS;
  const showsAll = isSet(options, 'all');
  const groups = new Map<string, Group>();
  let decided = 0;
  await withHistory(caller, async history => {
    for await (const { differences, ...where } of simulate(history, { sinceMs, untilMs }, mind, caller.roots)) {
      decided += 1;
      for (const difference of differences) addTo(groups, { ...difference, ...where }, showsAll);
      if (caller.signal.aborted) return;
    }
  });
  const sorted = [...groups.values()].toSorted((a, b) => b.count - a.count || (a.cause < b.cause ? -1 : 1));
  const differing = sorted.reduce((sum, { count }) => sum + count, 0);
  if (caller.isJson) {
    for (const group of sorted) printJson(caller, { kind: 'group', ...group });
    printJson(caller, { kind: 'summary', sinceMs, untilMs, decided, differing });
  } else printGroups(sorted, { sinceMs, decided, differing }, caller);
  return differing > 0 ? 1 : 0;
}

function addTo(groups: Map<string, Group>, found: Found, keepsAll: boolean): void {
  const cause = causeOf(found);
  const [from, to] = [found.before.verdict, found.after.verdict];
  const key = JSON.stringify([cause, from, to]);
  const group = groups.get(key) ?? { cause, from, to, count: 0, gone: 0, examples: [] };
  groups.set(key, group);
  group.count += 1;
  if (found.isGone) group.gone += 1;
  if (keepsAll || group.examples.length < EXAMPLES_MAX) group.examples.push(found);
}

function printGroups(
  groups: readonly Group[],
  { sinceMs, decided, differing }: { readonly sinceMs: number; readonly decided: number; readonly differing: number },
  caller: Caller,
): void {
  const line = (...spans: readonly Styled[]): void => printSpans(caller, spans);
  line(
    `${formatCount(decided, 'decision')} since ${formatTime(sinceMs)}; `,
    differing === 0
      ? span('good', 'all would be the same')
      : span('warning', `${formatCount(differing, 'module')} would be decided otherwise`),
  );
  for (const { cause, from, to, count, gone, examples } of groups) {
    line('');
    line(
      span('title', cause),
      `  ${from} → `,
      span(STYLES[to], to),
      `, ${formatCount(count, 'time')}${gone === 0 ? '' : `, ${formatNumber(gone)} of them for devices that are not here any more`}`,
    );
    for (const example of examples) line('  ', ...exampleSpans(example));
    if (count > examples.length)
      line(span('faint', `  and ${formatNumber(count - examples.length)} more; --all shows them`));
  }
}

const STYLES = { load: 'good', replace: 'warning', hold: 'warning', deny: 'bad' } as const;

function exampleSpans({ atMs, module, asked, before, after }: Found): readonly Styled[] {
  const { reason, replacement } = after.verdict === 'load' ? before : after;
  const instead = replacement === undefined ? '' : ` by ${replacement}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  return [span('faint', formatTime(atMs)), ' ', span('name', module), ` for ${asked}${instead}${why}`];
}

/** Follows the daemon and compares what it decides with what the candidate would, as it comes. */
async function shadow(mind: Observer, caller: Caller): Promise<number> {
  let differing = 0;
  for await (const item of askDaemon(caller, 'monitor')) {
    const told = item as unknown as
      | ({ readonly kind: 'handled' } & Handled)
      | { readonly kind: 'received' }
      | { readonly kind: 'missed'; readonly count: number };
    if (told.kind === 'missed')
      caller.stderr.write(`usher: ${told.count} events came faster than they could be judged\n`);
    if (told.kind !== 'handled') continue;
    const { device, event, decisions } = told;
    for (const difference of await judgeAgain({ kind: 'device', device, event }, decisions, mind)) {
      differing += 1;
      printShadow({ ...difference, atMs: event.receivedAtMs, asked: device.devpath, isGone: false }, caller);
    }
  }
  return differing > 0 ? 1 : 0;
}

function printShadow(found: Found, caller: Caller): void {
  const cause = causeOf(found);
  if (caller.isJson) printJson(caller, { kind: 'difference', cause, ...found });
  else {
    const { before, after } = found;
    printSpans(caller, [
      `${before.verdict} → `,
      span(STYLES[after.verdict], after.verdict),
      `  ${cause}  `,
      ...exampleSpans(found),
    ]);
  }
}
