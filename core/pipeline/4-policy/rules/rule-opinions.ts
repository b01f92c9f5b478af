import { isPlausibleModuleName, moduleName, type ModuleName } from '../../../vocabulary/module-name.ts';
import { whenThere } from '../../../vocabulary/when-there.ts';
import type { ModuleTraits } from '../../../kernel/module-traits.ts';
import type { Opinion } from '../opinion.ts';
import type { OpinionSource, Question } from '../question.ts';
import { applyRules } from './apply-rules.ts';
import type { RuleContext, RuleSubject, RunProgram } from './rule-context.ts';
import type { RuleResult } from './rule-result.ts';
import type { RuleSet } from './rule-set.ts';
import { subjectOfQuestion } from './rule-subject.ts';

/** What rules need to speak of modules. */
export interface RulePolicy {
  /** The rules as of now; other ones after a reload. */
  readonly ruleSet: () => RuleSet;
  readonly context: () => RuleContext;
  readonly runProgram: RunProgram;
  /** What the module's file says; undefined when there is none. */
  readonly traitsOf: (module: ModuleName) => ModuleTraits | undefined;
  readonly places: { readonly sys: string; readonly dev: string };
}

/** Answers of programs that one event's rules asked for, by their words; so one runs once, however many modules are in question. */
type Asked = Map<string, ReturnType<RunProgram>>;

/**
 * Rules that give a VERDICT, another MODULE or OPTIONS{module} → their opinions, with file and line. All rules are gone through once for
 * each module in question, with that module and the device that asks, if one does.
 */
export function ruleOpinions(policy: RulePolicy): OpinionSource {
  const askedBy = new WeakMap<object, Asked>();
  return {
    name: 'rules',
    opinionsOn: question => {
      const ruleSet = policy.ruleSet();
      if (!ruleSet.speaksOfModules) return [];
      const { module, role, asker } = question;
      if (asker.kind === 'device' && asker.event !== undefined && ruleSet.isIdleFor(asker.event, { isOfModule: true }))
        return [];
      const asked = askedBy.get(asker) ?? new Map<string, ReturnType<RunProgram>>();
      askedBy.set(asker, asked);
      const subject = subjectOfQuestion(asker, { module, role, facts: () => policy.traitsOf(module) }, policy.places);
      const runProgram: RunProgram = request => {
        const key = request.words.join('\0');
        const answer = asked.get(key) ?? policy.runProgram(request);
        asked.set(key, answer);
        return answer;
      };
      const apply = (known: RuleSubject): RuleResult | Promise<RuleResult> =>
        applyRules(ruleSet, known, policy.context(), { runProgram, counts: true });
      return whenThere(whenThere(subject, apply), result => opinionsOf(result, question));
    },
  };
}

function opinionsOf({ verdict, parameters }: RuleResult, { module }: Question): readonly Opinion[] {
  const opinions: Opinion[] = [];
  if (verdict !== undefined) {
    const { replacement = '' } = verdict;
    const isReplacing = verdict.verdict === 'replace';
    if (!isReplacing || isPlausibleModuleName(replacement)) {
      const reason = verdict.reason ?? (isReplacing ? `MODULE="${replacement}"` : `VERDICT="${verdict.verdict}"`);
      const { place } = verdict;
      opinions.push({
        verdict: verdict.verdict,
        module,
        by: 'rule',
        reason,
        place,
        ...(isReplacing ? { replacement: moduleName(replacement) } : {}),
      });
    }
  }
  for (const { text, place } of parameters) {
    const reason = `it is to be loaded with ${text}`;
    opinions.push({ verdict: 'abstain', module, by: 'rule', reason, place, parameters: text });
  }
  return opinions;
}
