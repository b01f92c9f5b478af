import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Place } from '../../vocabulary/place.ts';
import type { Opinion } from '../4-policy/opinion.ts';
import type { Step } from '../5-resolve/load-plan.ts';
import type { Outcome } from '../6-load/outcome.ts';
import type { Connection } from './database.ts';
import { modulesOf, type Deliberation } from './deliberation.ts';
import type { Strings } from './strings.ts';

/** `winner` of a judgement whose winning opinion is not among those heard: it stands in a row of its own at this place. */
export const WINNER_APART = -1;

/** Writes deliberations and outcomes as rows. Use only inside a transaction. */
export class DecisionRows {
  readonly #strings: Strings;
  readonly #decision;
  readonly #mention;
  readonly #candidate;
  readonly #judgement;
  readonly #opinion;
  readonly #plan;
  readonly #step;
  readonly #outcome;

  constructor(db: Connection, strings: Strings) {
    this.#strings = strings;
    this.#decision = db.prepare('INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#mention = db.prepare('INSERT INTO mention (module, decision) VALUES (?, ?)');
    this.#candidate = db.prepare('INSERT INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#judgement = db.prepare('INSERT INTO judgement VALUES (?, ?, ?, ?, ?)');
    this.#opinion = db.prepare('INSERT INTO opinion VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#plan = db.prepare('INSERT INTO plan VALUES (?, ?, ?)');
    this.#step = db.prepare('INSERT INTO plan_step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#outcome = db.prepare('INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?)');
  }

  writeDeliberation(id: number, entry: number, atMs: number, deliberation: Deliberation): void {
    const strings = this.#strings;
    const { device, candidates, decisions, plans } = deliberation;
    this.#decision.run(
      id,
      entry,
      atMs,
      strings.intern(device.devpath),
      strings.intern(device.subsystem),
      strings.internOptional(device.modalias),
      strings.internOptional(device.driver),
      strings.internOptional(device.devtype),
      strings.internOptional(device.devname),
    );
    for (const module of modulesOf(deliberation)) this.#mention.run(strings.intern(module), id);
    for (const [pos, { module, match }] of candidates.entries()) {
      const names = [module, match.module, match.source, match.pattern].map(text => strings.intern(text));
      this.#candidate.run(id, pos, ...names, strings.internPlace(match.place));
    }
    for (const [pos, { module, verdict, winner, opinions }] of decisions.entries()) {
      const place = winner === undefined ? null : placeOfWinner(winner, opinions);
      this.#judgement.run(id, pos, strings.intern(module), verdict, place);
      for (const [order, opinion] of opinions.entries()) this.#writeOpinion(id, pos, order, opinion);
      if (winner !== undefined && place === WINNER_APART) this.#writeOpinion(id, pos, WINNER_APART, winner);
    }
    for (const [pos, { target, steps }] of plans.entries()) {
      this.#plan.run(id, pos, strings.intern(target));
      for (const [order, step] of steps.entries()) this.#writeStep(id, pos, order, step);
    }
  }

  writeOutcomes(ending: number, outcomes: readonly Outcome[]): void {
    for (const [pos, outcome] of outcomes.entries()) {
      const { errno, text, tookMs } = outcomeFacts(outcome);
      const module = this.#strings.intern(outcome.module);
      this.#outcome.run(
        ending,
        pos,
        outcome.kind,
        module,
        errno ?? null,
        this.#strings.internOptional(text),
        tookMs ?? null,
      );
    }
  }

  #writeOpinion(decision: number, judgement: number, pos: number, opinion: Opinion): void {
    this.#opinion.run(
      decision,
      judgement,
      pos,
      opinion.verdict,
      this.#strings.intern(opinion.module),
      this.#strings.intern(opinion.by),
      this.#strings.intern(opinion.reason),
      this.#internPlace(opinion.place),
      this.#strings.internOptional(opinion.replacement),
    );
  }

  #writeStep(decision: number, plan: number, pos: number, step: Step): void {
    const { path, command, text, place, optionPlaces } = stepFacts(step);
    this.#step.run(
      decision,
      plan,
      pos,
      step.kind,
      this.#strings.intern(step.module),
      step.role,
      this.#strings.internOptional(step.neededBy),
      step.required ? 1 : 0,
      this.#strings.internOptional(path),
      this.#strings.internOptional(command),
      this.#strings.internOptional(text),
      this.#internPlace(place),
      optionPlaces?.map(each => this.#strings.internPlace(each)).join(' ') ?? null,
    );
  }

  #internPlace(place: Place | undefined): number | null {
    return place === undefined ? null : this.#strings.internPlace(place);
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
