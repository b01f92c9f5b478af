import { expandTemplate } from './expand.ts';
import type { Evaluation } from './evaluation.ts';
import { NAME_MAX_BYTES } from './language.ts';
import type { Rule, RuleToken } from './rule.ts';
import type { RuleVerdict } from './rule-result.ts';
import { parseTemplate } from './template.ts';

/**
 * VERDICT and MODULE= of a rule → what they do: they give the verdict, with the rule's own REASON. A later rule's verdict counts, until one
 * is closed by `:=`. MODULE= puts another module in the place of the one a device asked for, so it says nothing of dependencies.
 */
export function compileVerdict(token: RuleToken, rule: Rule): ((evaluation: Evaluation) => void) | undefined {
  const reason = rule.tokens.find(({ key }) => key === 'REASON');
  const reasonTemplate = reason && parseTemplate(reason.value);
  const give = (evaluation: Evaluation, verdict: Pick<RuleVerdict, 'verdict' | 'replacement'>): void => {
    if (evaluation.verdict.isFinal || evaluation.subject.module === undefined) return;
    const text = reasonTemplate && expandTemplate(reasonTemplate, evaluation);
    evaluation.verdict.value = {
      ...verdict,
      place: token.place,
      ...(text === undefined || text === '' ? {} : { reason: text }),
    };
    evaluation.verdict.isFinal = token.operator === ':=';
  };
  if (token.key === 'VERDICT') {
    const { value } = token;
    return value === 'deny' || value === 'hold' || value === 'allow'
      ? evaluation => give(evaluation, { verdict: value })
      : undefined;
  }
  if (token.key !== 'MODULE') return undefined;
  const template = parseTemplate(token.value);
  return evaluation => {
    if (evaluation.subject.module?.role !== 'target') return;
    const replacement = expandTemplate(template, evaluation, { maxBytes: NAME_MAX_BYTES });
    if (replacement !== undefined && replacement !== '') give(evaluation, { verdict: 'replace', replacement });
  };
}
