import type { Lifeline } from '../../kernel/lifelines.ts';
import type { Blocked } from './blocked-modules.ts';

/**
 * The machine, and what was and would be blocked → what the change would cut off, a sentence each; empty when nobody is locked out. A
 * keyboard or a link may go as long as another stays; of the root disk every part is needed. What is cut off already is no news.
 */
export function lockOut(lifelines: readonly Lifeline[], before: Blocked, after: Blocked): readonly string[] {
  const lost: string[] = [];
  for (const kind of ['keyboard', 'network link'] as const) {
    const worked = lifelines.filter(line => line.kind === kind && !isCut(line, before));
    if (worked.length === 0 || worked.some(line => !isCut(line, after))) continue;
    const which = worked.length === 1 ? `the only ${kind}` : `every ${kind}`;
    lost.push(`${which} would not come up again: ${worked.map(line => lossText(line, after)).join('; ')}`);
  }
  for (const line of lifelines) {
    if (line.kind !== 'root disk' || isCut(line, before) || !isCut(line, after)) continue;
    lost.push(`the root disk would not come up again: ${lossText(line, after)}`);
  }
  return lost;
}

function isCut({ links }: Lifeline, { cuts }: Blocked): boolean {
  return links.some(link => cuts(link));
}

function lossText({ name, links }: Lifeline, { cuts }: Blocked): string {
  const modules = [...new Set(links.filter(link => cuts(link)).map(({ module }) => module))];
  return `${name} needs ${modules.join(' and ')}`;
}
