import { assertNever } from '../../vocabulary/assert-never.ts';
import { errnoText } from '../../vocabulary/errno.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import type { VerdictKind } from '../4-policy/opinion.ts';
import type { Step } from '../5-resolve/load-plan.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { EntryResult } from '../7-ledger/deliberation.ts';
import type { EntryState } from '../7-ledger/history-entry.ts';
import { formatDuration } from './quantity.ts';
import { span, type Span, type Style } from './terminal.ts';

/** An outcome → what happened, as spans that follow a dash. */
export function outcomeSpans(outcome: Outcome): Span[] {
  switch (outcome.kind) {
    case 'inserted':
      return [span('good', 'inserted'), ...tookText(' in', outcome.tookMs)];
    case 'already-loaded':
      return [span('good', 'was loaded already')];
    case 'builtin':
      return [span('good', 'is built into the kernel')];
    case 'ran':
      return [span('good', 'its install command ran'), ...tookText(', in', outcome.tookMs)];
    case 'refused':
      return [span('bad', `refused: ${outcome.errno}`), ` (${errnoText(outcome.errno)}): ${outcome.meaning}`];
    case 'failed':
      return [span('bad', 'failed'), `: ${outcome.reason}`];
    case 'skipped':
      return [span('warning', 'skipped'), `: ${outcome.reason}`];
    case 'observed':
      return [span('warning', 'not done'), ', because usherd only observes'];
    default:
      return assertNever(outcome);
  }
}

/** A replay's clock stands still: there is no time to tell. */
function tookText(before: string, tookMs: number): string[] {
  return tookMs === 0 ? [] : [`${before} ${formatDuration(tookMs)}`];
}

/** A step → what it does and why it stands in the plan. */
export function stepSpans(step: Step): Span[] {
  return [...actSpans(step), span('faint', ` (${roleText(step)})`)];
}

function actSpans(step: Step): Span[] {
  const name = span('name', step.module);
  switch (step.kind) {
    case 'insert': {
      const options = step.parameters === '' ? [] : [` ${step.parameters}`];
      const from = step.optionPlaces.map(formatPlace).join(', ');
      return ['insert ', name, ...options, ...(from === '' ? [] : [` from ${from}`])];
    }
    case 'run-install':
      return ['run the install command of ', name, ` at ${formatPlace(step.place)}: ${step.command}`];
    case 'loaded':
      return [name, ' is loaded'];
    case 'builtin':
      return [name, ' is built in'];
    case 'missing':
      return [span('warning', step.name), ' is not in the module tree'];
    default:
      return assertNever(step);
  }
}

function roleText({ role, neededBy, required }: Step): string {
  const by = neededBy === undefined ? '' : ` of ${neededBy}`;
  switch (role) {
    case 'target':
      return 'the module asked for';
    case 'dependency':
      return `dependency${by}`;
    case 'softdep-pre':
      return `softdep${by}, before it${required ? '' : ', may fail'}`;
    case 'softdep-post':
      return `softdep${by}, after it${required ? '' : ', may fail'}`;
    default:
      return assertNever(role);
  }
}

export const VERDICT_STYLE: Readonly<Record<VerdictKind, Style>> = {
  deny: 'bad',
  hold: 'warning',
  replace: 'warning',
  allow: 'good',
  abstain: 'faint',
};

/** The one word of an entry for tables, and how it looks. */
export function resultSpan(state: EntryState, result: EntryResult | undefined): Span {
  switch (state) {
    case 'recorded':
      return span('faint', '-');
    case 'open':
      return span('warning', 'in work');
    case 'interrupted':
      return span('bad', 'interrupted');
    case 'ended':
      return result === undefined ? '' : span(RESULT_STYLE[result], result);
    default:
      return assertNever(state);
  }
}

const RESULT_STYLE: Readonly<Record<EntryResult, Style>> = {
  failed: 'bad',
  refused: 'bad',
  loaded: 'good',
  observed: 'warning',
  held: 'warning',
  denied: 'bad',
  'already-loaded': 'good',
  builtin: 'good',
  skipped: 'warning',
  'no-module': 'warning',
  'no-modalias': 'faint',
};
