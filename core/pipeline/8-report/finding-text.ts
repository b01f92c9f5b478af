import type { Step } from '../5-resolve/load-plan.ts';
import type { Finding } from '../5-resolve/finding.ts';
import type { PlanFindings } from './explanation.ts';
import { span } from './terminal.ts';
import type { Branch } from './tree.ts';

const STYLE = { refusal: 'bad', warning: 'warning', note: 'faint' } as const satisfies Record<
  Finding['severity'],
  string
>;

/** A step that would insert a module, and what is known beforehand of that → a line each. */
export function findingBranches({ kind, module }: Step, findings: PlanFindings = {}): readonly Branch[] {
  const own = kind === 'insert' ? (findings[module] ?? []) : [];
  return own.map(({ severity, message }) => ({ line: [span(STYLE[severity], severity), `: ${message}`] }));
}
