import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Place } from '../../vocabulary/place.ts';
import type { Opinion } from '../4-policy/opinion.ts';
import type { Step } from '../5-resolve/load-plan.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { Connection } from './database.ts';
import type { Deliberation, EntryResult } from './deliberation.ts';
import { columnsOf } from './row-shapes.ts';
import { ShapedInsert } from './shaped-insert.ts';
import type { Strings } from './strings.ts';

/** `winner` of a judgement whose winning opinion is not among those heard: it stands in a row of its own at this place. */
export const WINNER_APART = -1;

/** Writes deliberations and outcomes as rows. Use only inside a transaction. Each answers with the content of what it wrote. */
export class DecisionRows {
  readonly #decision;
  readonly #candidate;
  readonly #judgement;
  readonly #opinion;
  readonly #plan;
  readonly #step;
  readonly #ending;
  readonly #outcome;

  constructor(db: Connection, strings: Strings) {
    const insert = (table: string): ShapedInsert => new ShapedInsert(db, strings, table, columnsOf(table));
    this.#decision = insert('decision');
    this.#candidate = insert('candidate');
    this.#judgement = insert('judgement');
    this.#opinion = insert('opinion');
    this.#plan = insert('plan');
    this.#step = insert('plan_step');
    this.#ending = insert('ending');
    this.#outcome = insert('outcome');
  }

  writeDeliberation(id: number, entry: number, atMs: number, deliberation: Deliberation): string {
    const { device, candidates, decisions, plans } = deliberation;
    const { devpath, subsystem, modalias, driver, devtype, devname } = device;
    let content = this.#decision.write(id, [entry, atMs, devpath, subsystem, modalias, driver, devtype, devname]);
    for (const [pos, { module, match }] of candidates.entries())
      content += this.#candidate.write(id, [pos, module, match.module, match.source, match.pattern, match.place]);
    let opinionsContent = '';
    for (const [pos, { module, verdict, winner, opinions }] of decisions.entries()) {
      const place = winner === undefined ? null : placeOfWinner(winner, opinions);
      content += this.#judgement.write(id, [pos, module, verdict, place]);
      for (const [order, opinion] of opinions.entries()) opinionsContent += this.#writeOpinion(id, pos, order, opinion);
      if (winner !== undefined && place === WINNER_APART)
        opinionsContent += this.#writeOpinion(id, pos, WINNER_APART, winner);
    }
    let stepsContent = '';
    content += opinionsContent;
    for (const [pos, { target, steps }] of plans.entries()) {
      content += this.#plan.write(id, [pos, target]);
      for (const [order, step] of steps.entries()) stepsContent += this.#writeStep(id, pos, order, step);
    }
    return content + stepsContent;
  }

  writeEnding(id: number, entry: number, atMs: number, result: EntryResult, outcomes: readonly Outcome[]): string {
    let content = this.#ending.write(id, [entry, atMs, result]);
    for (const [pos, outcome] of outcomes.entries()) {
      const { errno, text, tookMs } = outcomeFacts(outcome);
      content += this.#outcome.write(id, [pos, outcome.kind, outcome.module, errno, text, tookMs]);
    }
    return content;
  }

  #writeOpinion(decision: number, judgement: number, pos: number, opinion: Opinion): string {
    const { verdict, module, by, reason, place, replacement } = opinion;
    return this.#opinion.write(decision, [judgement, pos, verdict, module, by, reason, place, replacement]);
  }

  #writeStep(decision: number, plan: number, pos: number, step: Step): string {
    const { path, command, text, place, optionPlaces } = stepFacts(step);
    const { kind, module, role, neededBy, required } = step;
    const who = [kind, module, role, neededBy, required ? 1 : 0];
    return this.#step.write(decision, [plan, pos, ...who, path, command, text, place, optionPlaces]);
  }
}

function placeOfWinner(winner: Opinion, opinions: readonly Opinion[]): number {
  const place = opinions.indexOf(winner);
  return place < 0 ? WINNER_APART : place;
}

function stepFacts(step: Step): {
  path?: string;
  command?: string;
  text?: string;
  place?: Place;
  optionPlaces?: readonly Place[];
} {
  switch (step.kind) {
    case 'insert':
      return { path: step.path, text: step.parameters, optionPlaces: step.optionPlaces };
    case 'run-install':
      return { command: step.command, text: step.parameters, place: step.place };
    case 'missing':
      return { text: step.name };
    case 'loaded':
    case 'builtin':
      return {};
    default:
      return assertNever(step);
  }
}

function outcomeFacts(outcome: Outcome): { errno?: string; text?: string; tookMs?: number } {
  switch (outcome.kind) {
    case 'inserted':
      return { tookMs: outcome.tookMs };
    case 'ran':
      return { text: outcome.command, tookMs: outcome.tookMs };
    case 'refused':
      return { errno: outcome.errno, text: outcome.meaning, tookMs: outcome.tookMs };
    case 'failed':
      return { text: outcome.reason, tookMs: outcome.tookMs };
    case 'skipped':
      return { text: outcome.reason };
    case 'already-loaded':
    case 'builtin':
    case 'observed':
      return {};
    default:
      return assertNever(outcome);
  }
}
