import { formatPlace, type Place } from '../../vocabulary/place.ts';
import type { Devpath } from '../../vocabulary/devpath.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Decision } from '../4-policy/opinion.ts';
import type { LoadPlan } from '../5-resolve/load-plan.ts';
import type { ModuleState } from '../5-resolve/plan-load.ts';
import type { HistoryEntry, HistoryIncident } from '../7-ledger/history-entry.ts';
import { byHandText } from './by-hand-text.ts';
import type { PlanFindings } from './explanation.ts';
import { findingBranches } from './finding-text.ts';
import { historyEntryToJson, incidentToJson } from './history-report.ts';
import { toJson, type Json } from './json.ts';
import { outcomeSpans, stepSpans, VERDICT_STYLE } from './outcome-text.ts';
import { formatTime } from './quantity.ts';
import { span, type Span, type Terminal } from './terminal.ts';
import { formatTree, type Branch } from './tree.ts';

/** A line of configuration that speaks of a module. */
export interface ConfigLine {
  readonly text: string;
  readonly place: Place;
}

/** What there is to say of a module, on a machine as it stands. */
export interface ModuleFacts {
  readonly module: ModuleName;
  /** Absent when the tree has no file of that name. */
  readonly path?: string;
  readonly treeDir: string;
  readonly state: ModuleState | 'not-loaded';
  readonly holders: readonly ModuleName[];
  readonly dependencies: readonly ModuleName[];
  /** Devices that are there and whose modalias names it. */
  readonly claims: readonly { readonly devpath: Devpath; readonly driver?: string }[];
  readonly configuration: readonly ConfigLine[];
  /** What policy would say if a device asked for it. */
  readonly decision: Decision;
  readonly plan: LoadPlan;
  readonly findings?: PlanFindings;
}

/** What the ledger has of a module. */
export interface ModuleRecord {
  /** The last entry that asked for it. */
  readonly last?: HistoryEntry | undefined;
  /** What was last done to it by hand. */
  readonly byHand?: HistoryIncident | undefined;
}

/** A module's facts, and what the ledger has of it → the tree a person reads. */
export function formatModule(facts: ModuleFacts, record: ModuleRecord, terminal: Terminal): string[] {
  return formatTree(
    { line: [span('title', facts.module), span('faint', ' (module)')], children: branches(facts, record) },
    terminal,
  );
}

/** The same as JSON: the fields of ModuleFacts, `last`, the ledger's entry, and `byHand`, its incident. */
export function moduleToJson(facts: ModuleFacts, { last, byHand }: ModuleRecord): Json {
  return {
    ...(toJson(facts) as Record<string, Json>),
    ...(last === undefined ? {} : { last: historyEntryToJson(last) }),
    ...(byHand === undefined ? {} : { byHand: incidentToJson(byHand) }),
  };
}

function branches(facts: ModuleFacts, { last, byHand }: ModuleRecord): readonly Branch[] {
  const { path, treeDir, dependencies, claims, configuration, decision, plan, findings } = facts;
  return [
    { line: path === undefined ? [span('warning', 'no file'), ` of that name in ${treeDir}`] : ['file ', path] },
    { line: stateSpans(facts) },
    ...(dependencies.length === 0 ? [] : [{ line: ['needs ', span('name', dependencies.join(' '))] }]),
    claims.length === 0
      ? { line: ['no device that is there names it'] }
      : { line: ['devices that name it'], children: claims.map(claimBranch) },
    ...(configuration.length === 0 ? [] : [{ line: ['configuration'], children: configuration.map(configBranch) }]),
    {
      line: ['asked for by a device: ', span(VERDICT_STYLE[decision.verdict], decision.verdict)],
      children: decision.opinions.map(({ by, reason }) => ({ line: [`${by}: ${reason}`] })),
    },
    {
      line: ['plan'],
      children: plan.steps.map((step, n) => ({
        line: [`${n + 1}. `, ...stepSpans(step)],
        children: findingBranches(step, findings),
      })),
    },
    ...(last === undefined ? [] : [lastBranch(facts.module, last)]),
    ...(byHand === undefined ? [] : [{ line: [byHandText(facts.module, byHand) ?? ''] }]),
  ];
}

function stateSpans({ state, holders }: ModuleFacts): Span[] {
  const used = holders.length === 0 ? '' : `, used by ${holders.join(' ')}`;
  switch (state) {
    case 'live':
      return [span('good', 'loaded'), used];
    case 'builtin':
      return [span('good', 'built into the kernel')];
    case 'not-loaded':
      return [span('warning', 'not loaded')];
    default:
      return [span('warning', state)];
  }
}

function claimBranch({ devpath, driver }: ModuleFacts['claims'][number]): Branch {
  return { line: [devpath, driver === undefined ? span('warning', ' no driver') : span('faint', ` driver ${driver}`)] };
}

function configBranch({ text, place }: ConfigLine): Branch {
  return { line: [text, span('faint', `  ${formatPlace(place)}`)] };
}

function lastBranch(module: ModuleName, { id, event, outcomes }: HistoryEntry): Branch {
  return {
    line: [`last: entry ${id}, ${formatTime(event.receivedAtMs)}, for ${event.devpath}`],
    children: outcomes.filter(outcome => outcome.module === module).map(outcome => ({ line: outcomeSpans(outcome) })),
  };
}
