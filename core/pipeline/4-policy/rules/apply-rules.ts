import { readSmallFiles } from '../../../kernel/small-file.ts';
import { Evaluation } from './evaluation.ts';
import { resultOf } from './result-of.ts';
import { HeldBack, type RuleContext, type RuleSubject, type RunProgram } from './rule-context.ts';
import type { RuleResult } from './rule-result.ts';
import { RuleRun, type RuleObserver } from './rule-run.ts';
import type { RuleSet } from './rule-set.ts';

export interface ApplySetting {
  /** Runs PROGRAM and IMPORT{program}; without it every program counts as failed. */
  readonly runProgram?: RunProgram;
  /** Told of every rule, also of those that could be put aside beforehand. */
  readonly observe?: RuleObserver;
  /** Count the rules that matched. */
  readonly counts?: boolean;
}

/**
 * A rule set and what it is applied to → what it says. Changes nothing. A promise only where a rule wants a program to be run, or to know
 * what a driver may hold back. Source: udev(7).
 */
export function applyRules(
  ruleSet: RuleSet,
  subject: RuleSubject,
  context: RuleContext,
  setting: ApplySetting = {},
): RuleResult | Promise<RuleResult> {
  const evaluation = new Evaluation(subject, context);
  const run = newRun(ruleSet, evaluation, setting);
  const request = run.advance();
  return request === undefined ? resultOf(evaluation) : finish(run, evaluation, setting);

  async function finish(
    unfinished: RuleRun,
    state: Evaluation,
    { runProgram }: Pick<ApplySetting, 'runProgram'>,
  ): Promise<RuleResult> {
    for (let next = request; next !== undefined; next = unfinished.advance()) {
      if (next instanceof HeldBack) next.take(await readSmallFiles(next.files));
      else unfinished.answer(await runProgram?.(next));
    }
    return resultOf(state);
  }
}

function newRun(ruleSet: RuleSet, evaluation: Evaluation, { observe, counts = false }: ApplySetting): RuleRun {
  const { subject, device, properties } = evaluation;
  const noted: RuleObserver | undefined = counts
    ? (rule, failed, state) => {
        if (failed === undefined) ruleSet.hits[rule.index] = (ruleSet.hits[rule.index] ?? 0) + 1;
        observe?.(rule, failed, state);
      }
    : observe;
  const isWhole = observe !== undefined || subject.device === undefined;
  const program = isWhole
    ? ruleSet.wholeProgram()
    : ruleSet.programFor({
        ACTION: subject.action,
        SUBSYSTEM: device.subsystem ?? '',
        DEVTYPE: properties.get('DEVTYPE') ?? '',
      });
  return new RuleRun(evaluation, program, noted);
}
