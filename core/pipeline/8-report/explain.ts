import { assertNever } from '../../vocabulary/assert-never.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import { hasJustCome, type Uevent } from '../1-intake/uevent.ts';
import type { Candidate } from '../3-match/candidate.ts';
import type { Decision, Opinion } from '../4-policy/opinion.ts';
import { INTERRUPTED_SENTENCE } from '../7-ledger/history-entry.ts';
import { pairOutcomes, type Explanation, type StepTold } from './explanation.ts';
import { toJson, type Json } from './json.ts';
import { findingBranches } from './finding-text.ts';
import { outcomeSpans, stepSpans, VERDICT_STYLE } from './outcome-text.ts';
import { formatCount, formatDuration, formatNumber, formatTime } from './quantity.ts';
import { span, type Span, type Terminal } from './terminal.ts';
import { formatTree, type Branch } from './tree.ts';

/** An explanation → the tree a person reads: event, device, aliases, opinions, plan, outcome, driver; and each thing that is absent, said. */
export function formatExplanation(explanation: Explanation, terminal: Terminal): string[] {
  return formatTree(explanationTree(explanation), terminal);
}

/** An explanation → its JSON: the fields of Explanation, with `conclusion` as one sentence. */
export function explanationToJson(explanation: Explanation): Json {
  const conclusion = conclusionOf(explanation)
    .map(piece => (typeof piece === 'string' ? piece : piece.text))
    .join('');
  return toJson({ ...explanation, conclusion });
}

function explanationTree(explanation: Explanation): Branch {
  const { event, device, decisions, plans, outcomes } = explanation;
  const kind = [device.subsystem, device.devtype === device.subsystem ? undefined : device.devtype];
  const told = pairOutcomes(plans, outcomes);
  return {
    line: [span('title', device.devpath), span('faint', ` (${kind.filter(word => word !== undefined).join(', ')})`)],
    children: [
      ...(event ? [{ line: eventSpans(event) }] : []),
      aliasBranch(explanation),
      ...(decisions.length > 0 ? [policyBranch(decisions)] : []),
      ...plans.map((plan, n) => planBranch(plan.target, told[n] ?? [], explanation)),
      { line: conclusionOf(explanation) },
    ],
  };
}

function eventSpans({ action, seqnum, origin, synthUuid, receivedAtMs }: Uevent): Span[] {
  const number = seqnum === undefined ? '' : ` number ${seqnum}`;
  const asked = synthUuid === undefined ? '' : ', because somebody asked for it through /sys';
  return ['event ', span('name', action), `${number}, ${originText(origin)}${asked}, ${formatTime(receivedAtMs)}`];
}

function originText(origin: Uevent['origin']): string {
  switch (origin.kind) {
    case 'kernel':
      return 'from the kernel';
    case 'udev':
      return `from udev (pid ${origin.pid})`;
    case 'injected':
      return `injected by process ${origin.pid}`;
    case 'coldplug':
      return 'found in /sys at the start';
    case 'resync':
      return 'found in /sys after events were lost';
    case 'replay':
      return 'from a recording';
    default:
      return assertNever(origin);
  }
}

function aliasBranch({ device, candidates, searched, state }: Explanation): Branch {
  if (device.modalias === undefined) {
    return {
      line: [span('warning', 'no modalias'), ': the device does not say what it is, so no module is looked up for it'],
    };
  }
  if (state === 'recorded' && candidates.length === 0) return { line: ['modalias ', span('name', device.modalias)] };
  return {
    line: ['modalias ', span('name', device.modalias)],
    children:
      candidates.length > 0
        ? candidates.map(candidateBranch)
        : [
            { line: [span('warning', 'no module claims it')], children: searched.map(searchedBranch) },
            { line: ['usher driver search looks for one in packages and catalogues'] },
          ],
  };
}

function searchedBranch({ file, patterns }: Explanation['searched'][number]): Branch {
  return { line: [`searched ${file}, ${formatCount(patterns, 'pattern')}`] };
}

function candidateBranch({ module, match }: Candidate): Branch {
  return {
    line: [span('name', module), ` claims it by ${match.pattern}`],
    children: [{ line: [span('faint', formatPlace(match.place))] }],
  };
}

/** Modules of which somebody has an opinion, one by one; the others in one line. */
function policyBranch(decisions: readonly Decision[]): Branch {
  // A module that several plans bring along is decided about for each; one answer is told once.
  const told = new Map(decisions.map(decision => [JSON.stringify(decision), decision]));
  const judged = [...told.values()].filter(({ opinions }) => opinions.length > 0);
  const others = new Set(decisions.filter(({ opinions }) => opinions.length === 0).map(({ module }) => module));
  const rest = { line: ['nobody has an opinion of ', span('name', [...others].join(', '))] };
  return { line: ['policy'], children: [...judged.map(decisionBranch), ...(others.size === 0 ? [] : [rest])] };
}

function decisionBranch({ module, verdict, winner, opinions }: Decision): Branch {
  return {
    line: [span('name', module), ': ', span(VERDICT_STYLE[verdict], verdict)],
    children: opinions.map(opinion => opinionBranch(opinion, opinions.length > 1 && isSame(opinion, winner))),
  };
}

function opinionBranch({ verdict, by, reason, place, replacement }: Opinion, isWinner: boolean): Branch {
  return {
    line: [
      `${by} says `,
      span(VERDICT_STYLE[verdict], verdict),
      ...(replacement === undefined ? [] : [' by ', span('name', replacement)]),
      isWinner ? ', and that counts' : '',
      `: ${reason}`,
    ],
    ...(place && { children: [{ line: [span('faint', formatPlace(place))] }] }),
  };
}

/** A decision read from the ledger has its winner as a copy, so the same words count as the same opinion. */
function isSame(opinion: Opinion, winner: Opinion | undefined): boolean {
  if (winner === undefined) return false;
  return opinion === winner || JSON.stringify(toJson(opinion)) === JSON.stringify(toJson(winner));
}

function planBranch(target: string, told: readonly StepTold[], { state, findings }: Explanation): Branch {
  const stopper = told.find(
    ({ step, outcome }) => step.required && (outcome?.kind === 'refused' || outcome?.kind === 'failed'),
  );
  const children = told.map(({ step, outcome }, n): Branch => {
    const number = `${n + 1}. `;
    if (outcome) return { line: [number, ...stepSpans(step)], children: [{ line: outcomeSpans(outcome) }] };
    if (state === 'dry-run' || state === 'recorded')
      return { line: [number, ...stepSpans(step)], children: findingBranches(step, findings) };
    const because = stopper ? `, because ${stopper.step.module} is required and could not be had` : '';
    return { line: [number, ...stepSpans(step)], children: [{ line: undoneSpans(state, because) }] };
  });
  const empty: Branch[] = [{ line: ['nothing to do'] }];
  return { line: ['plan for ', span('name', target)], children: children.length > 0 ? children : empty };
}

function undoneSpans(state: 'open' | 'ended' | 'interrupted', because: string): Span[] {
  switch (state) {
    case 'open':
      return [span('faint', 'not done yet')];
    case 'ended':
      return [span('warning', 'not reached'), because];
    case 'interrupted':
      return [span('bad', 'not known whether it was done')];
    default:
      return assertNever(state);
  }
}

/** The sentence a person in a hurry reads. */
function conclusionOf(explanation: Explanation): Span[] {
  const { event, device, candidates, decisions, outcomes, binds, state, searched } = explanation;
  const bind = binds.at(-1);
  if (bind) {
    const after =
      event && bind.atMs >= event.receivedAtMs
        ? `, ${formatDuration(bind.atMs - event.receivedAtMs)} after the event`
        : '';
    const where = bind.devpath === device.devpath ? 'it' : bind.devpath;
    return [span('good', 'bound'), ': driver ', span('name', bind.driver), ` took ${where}${after}`];
  }
  if (state === 'interrupted') return [span('bad', INTERRUPTED_SENTENCE)];
  if (state === 'open') return [span('warning', 'in work'), ': usherd has not finished with it'];
  // It came without a driver, and nobody has told of one that took it.
  if (device.driver !== undefined && event !== undefined && hasJustCome(event) && event.origin.kind !== 'replay')
    return [
      span('warning', 'being tried'),
      ': driver ',
      span('name', device.driver),
      ' is at work on it, and has not taken it yet',
    ];
  if (device.driver !== undefined)
    return [span('good', 'bound'), ': it had driver ', span('name', device.driver), ' already'];
  if (state === 'recorded') return ['nothing had to be decided'];
  if (device.modalias === undefined) return ['nothing to load'];
  if (candidates.length === 0) {
    const total = searched.reduce((sum, { patterns }) => sum + patterns, 0);
    const among = searched.length === 0 ? '' : ` among ${formatNumber(total)} patterns`;
    return [span('warning', 'no driver'), `: no module of this kernel claims it${among}`];
  }
  const bad = outcomes.find(({ kind }) => kind === 'refused' || kind === 'failed');
  const stopped = decisions.find(({ verdict }) => verdict === 'hold' || verdict === 'deny');
  const isLoaded = outcomes.some(({ kind }) => ['inserted', 'already-loaded', 'builtin', 'ran'].includes(kind));
  if (bad && !isTargetLoaded(explanation))
    return [span('bad', 'no driver'), ': ', span('name', bad.module), ' could not be loaded'];
  if (stopped && !isLoaded) return stoppedSpans(stopped);
  if (state === 'dry-run') return [span('faint', 'nothing was done: this is what usherd would do')];
  if (outcomes.some(({ kind }) => kind === 'observed')) return [span('warning', 'observed'), ': nothing was loaded'];
  if (isLoaded) return [span('warning', 'not bound'), ': the module is there, but no driver has taken the device'];
  return [span('warning', 'not bound'), ': nothing was loaded'];
}

function stoppedSpans({ module, verdict, winner }: Decision): Span[] {
  const who = winner === undefined ? '' : ` by ${winner.by}: ${winner.reason}`;
  return verdict === 'deny'
    ? [span('bad', 'denied'), ': ', span('name', module), ` may not load, decided${who}`]
    : [span('warning', 'held'), ': ', span('name', module), ` waits for an answer, asked for${who}`];
}

function isTargetLoaded({ plans, outcomes }: Explanation): boolean {
  const loaded = new Set(
    outcomes.filter(({ kind }) => kind === 'inserted' || kind === 'already-loaded').map(o => o.module),
  );
  return plans.some(({ target }) => loaded.has(target));
}
