import os from 'node:os';
import path from 'node:path';
import type { SystemRoot } from '../kernel/system-root.ts';
import type { ModuleTree } from '../kmod/module-tree.ts';
import type { LoadPlan } from '../pipeline/5-resolve/load-plan.ts';
import type { PlanFindings } from '../pipeline/8-report/explanation.ts';
import { findingsOf, readKernelFacts } from './kmod/gather-facts.ts';

/**
 * Plans → what is to be expected of each module they would insert; of one that fits there is nothing. Only the running kernel can be looked
 * at: plans for another release's tree have no findings.
 */
export async function planFindings(
  plans: readonly LoadPlan[],
  { roots, tree }: { readonly roots: SystemRoot; readonly tree: ModuleTree },
): Promise<PlanFindings> {
  const inserts = plans.flatMap(({ steps }) => steps.filter(step => step.kind === 'insert'));
  if (inserts.length === 0 || path.basename(tree.dir) !== os.release()) return {};
  const kernel = readKernelFacts(roots, tree, { withSymbols: false });
  const comes = new Set(plans.flatMap(({ steps }) => steps.map(({ module }) => module)));
  const found = inserts.map(({ module, path: file, parameters }) => {
    return [module, findingsOf(file, kernel, { roots, tree, comes, parameters })] as const;
  });
  return Object.fromEntries(found.filter(([, findings]) => findings.length > 0));
}
