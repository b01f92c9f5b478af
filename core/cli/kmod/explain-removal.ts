import type { RemovePlan, RemoveStep } from '../../pipeline/5-resolve/plan-remove.ts';
import { assertNever } from '../../vocabulary/assert-never.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import { usersText } from './users-text.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** `modprobe -r --why`: what would be removed, in which order, and what stands in the way. Nothing is done. */
export function explainRemoval({ target, steps }: RemovePlan, { host, has }: ModprobeRun): void {
  if (has('json')) {
    host.out(`${JSON.stringify({ target, steps })}\n`);
    return;
  }
  host.out(`${[target, ...steps.map(step => `  ${stepText(step)} (${step.role})`)].join('\n')}\n`);
}

function stepText(step: RemoveStep): string {
  switch (step.kind) {
    case 'remove':
      return `remove ${step.module}`;
    case 'run-remove':
      return `run the remove command of ${formatPlace(step.place)}: ${step.command}`;
    case 'not-loaded':
      return `${step.module} is not loaded`;
    case 'builtin':
      return `${step.module} is part of the kernel and cannot be removed`;
    case 'in-use':
      return usersText(step);
    default:
      return assertNever(step);
  }
}
