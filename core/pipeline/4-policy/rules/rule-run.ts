import { assertNever } from '../../../vocabulary/assert-never.ts';
import type { Evaluation } from './evaluation.ts';
import type { CompiledRule, CompiledToken } from './compiled-rule.ts';
import type { ProgramRule, RuleProgram } from './rule-program.ts';
import { HeldBack, type ProgramAnswer, type ProgramRequest, type RuleDevice } from './rule-context.ts';

/** Told of each rule gone through: it was applied whole, or this key did not match. */
export type RuleObserver = (rule: CompiledRule, failed: CompiledToken | undefined, evaluation: Evaluation) => void;

/**
 * Rules gone through one after the other. `advance` goes on until all are done (undefined), a program has to run, whose answer `answer` takes,
 * or something has to be read aside, which is taken by itself; then it goes on with the key that asked. So rules that need neither, nearly all,
 * need no promise.
 */
export class RuleRun {
  readonly #evaluation: Evaluation;
  readonly #program: RuleProgram;
  readonly #observe: RuleObserver | undefined;
  readonly #isRemoval: boolean;
  #at = 0;
  #token = 0;
  #answered = false;
  #answer: ProgramAnswer;

  constructor(evaluation: Evaluation, program: RuleProgram, observe?: RuleObserver) {
    this.#evaluation = evaluation;
    this.#program = program;
    this.#observe = observe;
    this.#isRemoval = evaluation.subject.action === 'remove';
  }

  advance(): ProgramRequest | HeldBack | undefined {
    try {
      return this.#advance();
    } catch (error) {
      if (error instanceof HeldBack) return error;
      throw error;
    }
  }

  #advance(): ProgramRequest | undefined {
    while (this.#at < this.#program.length) {
      const entry = this.#program[this.#at];
      if (entry === undefined) break;
      const outcome = this.#isIdle(entry) ? false : this.#goThrough(entry);
      if (typeof outcome === 'object') return outcome;
      this.#token = 0;
      this.#at = outcome && entry.goto !== undefined ? entry.goto : this.#at + 1;
    }
    return undefined;
  }

  answer(answer: ProgramAnswer): void {
    this.#answered = true;
    this.#answer = answer;
  }

  /** udev leaves out rules that only give links or names where there can be none. */
  #isIdle({ rule }: ProgramRule): boolean {
    if (rule.onlyLinks) return this.#isRemoval || !this.#evaluation.hasNode;
    if (rule.onlyNames) return this.#isRemoval || !this.#evaluation.isInterface;
    return rule.isOfModule && this.#evaluation.subject.module === undefined;
  }

  #goThrough({ rule, tokens }: ProgramRule): boolean | ProgramRequest {
    const evaluation = this.#evaluation;
    if (this.#token === 0) evaluation.escape = 'unset';
    for (; this.#token < tokens.length; this.#token++) {
      const token = tokens[this.#token];
      if (token === undefined) break;
      const outcome = this.#take(token, tokens);
      if (typeof outcome === 'object') return outcome;
      if (!outcome) {
        this.#observe?.(rule, token, evaluation);
        return false;
      }
    }
    this.#observe?.(rule, undefined, evaluation);
    return true;
  }

  #take(token: CompiledToken, tokens: readonly CompiledToken[]): boolean | ProgramRequest {
    const evaluation = this.#evaluation;
    switch (token.kind) {
      case 'match':
        return token.holds(evaluation);
      case 'act':
        token.act(evaluation);
        return true;
      case 'climb':
        return this.#climb(tokens);
      case 'program': {
        if (!this.#answered) return token.request(evaluation);
        this.#answered = false;
        return token.settle(evaluation, this.#answer);
      }
      default:
        return assertNever(token);
    }
  }

  /** All climbing keys stand side by side and have to hold on one device; which one that was is remembered, also for later rules. */
  #climb(tokens: readonly CompiledToken[]): boolean {
    const evaluation = this.#evaluation;
    const first = this.#token;
    let last = first;
    while (tokens[last + 1]?.kind === 'climb') last++;
    let device: RuleDevice | undefined = evaluation.hasDevice ? evaluation.device : undefined;
    for (; device !== undefined; device = device.parent) {
      let at = first;
      for (; at <= last; at++) {
        const token = tokens[at];
        if (token?.kind !== 'climb' || !token.holds(evaluation, device)) break;
      }
      if (at > last) {
        this.#token = last;
        evaluation.chosen = device;
        return true;
      }
    }
    evaluation.chosen = undefined;
    return false;
  }
}
