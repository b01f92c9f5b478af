import { formatPlace } from '../../../vocabulary/place.ts';
import type { Rule } from './rule.ts';
import type { RuleSet } from './rule-set.ts';
import { tokenText } from './token-text.ts';

/** A change is a line of a row in the ledger. */
const SHOWN_MAX_CHARS = 300;

/** Two rule sets → the rules only one of them has: `-FILE:LINE RULE` and `+FILE:LINE RULE`. A rule that only stands elsewhere in its file is the same. */
export function ruleChanges(before: RuleSet, after: RuleSet): readonly string[] {
  const [old, fresh] = [before, after].map(textsOf);
  if (old === undefined || fresh === undefined) return [];
  const gone = [...old].filter(([text]) => !fresh.has(text)).map(([, place]) => `-${place}`);
  const come = [...fresh].filter(([text]) => !old.has(text)).map(([, place]) => `+${place}`);
  return [...gone, ...come];
}

function textsOf({ rules }: RuleSet): ReadonlyMap<string, string> {
  return new Map(rules.map(({ source }) => [textOf(source), `${placeOf(source)} ${wordsOf(source)}`]));
}

function textOf({ place, tokens }: Rule): string {
  const words = tokens.map(({ key, attribute, operator, value, isCaseless }) => [
    key,
    attribute,
    operator,
    value,
    isCaseless,
  ]);
  return JSON.stringify([place.file, words]);
}

/** A rule as a file has it; of a very long one the beginning. */
function wordsOf({ tokens }: Rule): string {
  const words = tokens.map(tokenText).join(', ');
  return words.length <= SHOWN_MAX_CHARS ? words : `${words.slice(0, SHOWN_MAX_CHARS)}…`;
}

function placeOf({ place: { file, line } }: Rule): string {
  return formatPlace(line === undefined ? { file } : { file, line });
}
