import type { Opinion } from '../4-policy/opinion.ts';
import { modulesOf, type Deliberation } from './deliberation.ts';

/** What a person calls the rule an opinion comes from: its place when it stands written, else who said it. */
export function ruleOf({ by, place }: Opinion): string {
  if (place === undefined) return by;
  return place.line === undefined ? place.file : `${place.file}:${place.line}`;
}

/** What a decision can be found by: its modules, verdicts, and the rules that won (migrations.ts, step 3). */
export function tagsOf(deliberation: Deliberation): ReadonlySet<string> {
  const tags = new Set<string>(modulesOf(deliberation));
  for (const { verdict, winner } of deliberation.decisions) {
    tags.add(`verdict=${verdict}`);
    if (winner !== undefined) tags.add(`rule=${verdict} ${ruleOf(winner)}`);
  }
  return tags;
}
