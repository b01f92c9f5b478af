import type { Uevent } from '../1-intake/uevent.ts';
import type { Device } from '../2-device/device.ts';
import type { Candidate } from '../3-match/candidate.ts';
import type { Decision } from '../4-policy/opinion.ts';
import type { LoadPlan, Step } from '../5-resolve/load-plan.ts';
import type { Finding } from '../5-resolve/finding.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { Bind, EntryState, HistoryEntry } from '../7-ledger/history-entry.ts';

/** A file that was searched for the device's modalias. */
export interface SearchedFile {
  readonly file: string;
  readonly patterns: number;
}

/**
 * Why a device has the driver it has, or none: everything `explain` tells. Made from a ledger entry, or from a dry run, where
 * `state` is `dry-run` and there are no outcomes.
 */
export interface Explanation {
  /** Absent when the device was asked about as it stands, and nothing happened to it. */
  readonly event?: Uevent;
  readonly device: Device;
  /** What was searched, so that finding nothing says something. */
  readonly searched: readonly SearchedFile[];
  readonly candidates: readonly Candidate[];
  readonly decisions: readonly Decision[];
  readonly plans: readonly LoadPlan[];
  /** Of plans that are made now, and not of those that were recorded. */
  readonly findings?: PlanFindings;
  readonly outcomes: readonly Outcome[];
  readonly state: EntryState | 'dry-run';
  readonly binds: readonly Bind[];
}

/** A ledger entry → its explanation. An event about which nothing was decided explains itself by its own facts. */
export function explanationOf(entry: HistoryEntry, searched: readonly SearchedFile[]): Explanation {
  const { event, deliberation, state, outcomes, binds } = entry;
  const { devpath, subsystem } = event;
  const { device = { devpath, subsystem }, candidates = [], decisions = [], plans = [] } = deliberation ?? {};
  return { event, device, searched, candidates, decisions, plans, outcomes, state, binds };
}

/** By module, what the pre-flight says of inserting it. */
export type PlanFindings = Readonly<Record<string, readonly Finding[]>>;

/** A step and what became of it; without an outcome it was not reached, or nothing was done yet. */
export interface StepTold {
  readonly step: Step;
  readonly outcome?: Outcome;
}

/** Plans and the flat list of outcomes → each plan's steps with theirs. Outcomes of one module belong to its steps in order. */
export function pairOutcomes(plans: readonly LoadPlan[], outcomes: readonly Outcome[]): StepTold[][] {
  const left = [...outcomes];
  return plans.map(plan =>
    plan.steps.map(step => {
      const place = left.findIndex(outcome => outcome.module === step.module);
      const [outcome] = place < 0 ? [] : left.splice(place, 1);
      return outcome === undefined ? { step } : { step, outcome };
    }),
  );
}
