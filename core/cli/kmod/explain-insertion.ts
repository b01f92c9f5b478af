import type { LoadPlan, Step } from '../../pipeline/5-resolve/load-plan.ts';
import type { Finding } from '../../pipeline/5-resolve/finding.ts';
import { assertNever } from '../../vocabulary/assert-never.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import { findingsOf, readKernelFacts } from './gather-facts.ts';
import type { InsertTarget } from './insert-target.ts';
import { judgePolicy } from './modprobe-policy.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** `modprobe --why`: what would be done, step by step, with what is to be expected of each module. Nothing is done. */
export async function explainInsertion(target: InsertTarget, plan: LoadPlan, run: ModprobeRun): Promise<void> {
  const { host, has, roots, world } = run;
  const denied = await judgePolicy(plan, target.asked, run);
  const blacklist = world.config.isBlacklisted(target.module);
  const isSkipped = blacklist !== undefined && (target.alias !== undefined || has('use-blacklist'));
  const kernel = readKernelFacts(roots, world.tree);
  const comes = new Set(plan.steps.map(({ module }) => module));
  const force = {
    modversion: has('force') || has('force-modversion'),
    vermagic: has('force') || has('force-vermagic'),
  };
  const steps = plan.steps.map(step => ({
    step,
    findings:
      step.kind === 'insert'
        ? findingsOf(step.path, kernel, { roots, tree: world.tree, force, comes, parameters: step.parameters })
        : [],
  }));
  if (has('json')) {
    const skippedBy = isSkipped ? blacklist.place : null;
    host.out(
      `${JSON.stringify({ target: target.module, alias: target.alias ?? null, skippedBy, denied: Object.fromEntries(denied.refusals), steps })}\n`,
    );
    return;
  }
  const lines = [`${target.module}${target.alias === undefined ? '' : `, found by the alias ${target.alias}`}`];
  if (isSkipped) lines.push(`  is skipped: blacklisted at ${formatPlace(blacklist.place)}`);
  for (const reason of new Set(denied.refusals.values())) lines.push(`  ${reason}`);
  for (const { step, findings } of steps) lines.push(`  ${stepText(step)}`, ...findings.map(findingText));
  host.out(`${lines.join('\n')}\n`);
}

function stepText(step: Step): string {
  const because = step.neededBy === undefined ? '' : ` (${step.role} of ${step.neededBy})`;
  switch (step.kind) {
    case 'insert':
      return `insert ${step.path}${step.parameters === '' ? '' : ` ${step.parameters}`}${because}`;
    case 'run-install':
      return `run the install command of ${formatPlace(step.place)}: ${step.command}${because}`;
    case 'loaded':
      return `${step.module} is loaded already${because}`;
    case 'builtin':
      return `${step.module} is part of the kernel${because}`;
    case 'missing':
      return `${step.name} is not in the module tree${because}`;
    default:
      return assertNever(step);
  }
}

/** One finding as a line below its step. */
export function findingText({ severity, message }: Finding): string {
  return `    ${severity}: ${message}`;
}
