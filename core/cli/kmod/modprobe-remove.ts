import { lookupModules } from '../../kmod/lookup/module-lookup.ts';
import { planRemove, type RemoveStep } from '../../pipeline/5-resolve/plan-remove.ts';
import { executeRemoval, KernelRemover, type RemovalOutcome } from '../../pipeline/6-load/execute-removal.ts';
import { fillInstallCommand } from '../../pipeline/6-load/install-command.ts';
import { removalMeaning } from '../../pipeline/6-load/removal-meaning.ts';
import { readHolders, readRefcnt } from '../../kernel/sys-module.ts';
import { readModuleRestrictions } from '../../kernel/restrictions.ts';
import { errnoText } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { readLoaded } from '../../pipeline/6-load/read-loaded.ts';
import { usersText } from './users-text.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** modprobe -r: each name, and of each name every module it stands for until one cannot be removed. */
export async function removeModules(run: ModprobeRun, waitMs: number): Promise<number> {
  let status = 0;
  for (const word of run.operands) if (!(await removeByName(word, run, waitMs))) status = 1;
  return status;
}

async function removeByName(word: string, run: ModprobeRun, waitMs: number): Promise<boolean> {
  const matches = lookupModules(word, run.world.tree, run.world.config);
  if (matches.length === 0) {
    run.complain(`Module ${word} not found.`);
    return false;
  }
  for (const { module } of matches) if (!(await removeOne(module, run, waitMs))) return false;
  return true;
}

async function removeOne(module: ModuleName, run: ModprobeRun, waitMs: number): Promise<boolean> {
  const { host, world, roots, has, shows, commandEnv } = run;
  const isDryRun = has('dry-run') || has('show-depends') || has('why');
  const plan = planRemove(module, world, {
    loaded: readLoaded(roots),
    ignoreCommand: has('ignore-commands'),
    removeHolders: has('remove-holders'),
    ignoreUse: waitMs > 0 || has('show-depends'),
    ignoreLoaded: has('show-depends'),
    isDryRun: isDryRun && !has('why'),
  });
  if (has('why') || (has('json') && isDryRun)) {
    const { explainRemoval } = await import('./explain-removal.ts');
    explainRemoval(plan, run);
    return true;
  }
  let isDone = true;
  const remover = new KernelRemover(roots, {
    force: has('force'),
    command: { isForeground: true, env: commandEnv },
  });
  const outcomes = await executeRemoval(plan, remover, {
    isDryRun,
    waitMs,
    onStep: step => {
      if (shows && !has('json')) host.out(`${removeLine(step)}\n`);
    },
    onOutcome: (step, outcome) => {
      if (!isDryRun) noteRemoval(step, outcome, run);
      if (!reportRemoval(step, outcome, run) && step.required) isDone = false;
    },
  });
  if (has('json')) host.out(`${JSON.stringify({ target: module, outcomes })}\n`);
  return isDone;
}

function noteRemoval({ kind, module }: RemoveStep, outcome: RemovalOutcome, { acts }: ModprobeRun): void {
  if (outcome.kind === 'removed') acts.removed(module);
  if (outcome.kind === 'ran') acts.ran(module);
  if (outcome.kind === 'refused') acts.failed(module, `${outcome.errno}: ${errnoText(outcome.errno)}`);
  if (outcome.kind === 'command-failed') acts.failed(module, 'its remove command failed');
  if (kind === 'in-use') acts.failed(module, 'it is in use');
}

function removeLine(step: RemoveStep): string {
  return step.kind === 'run-remove' ? `remove ${fillInstallCommand(step.command, '')}` : `rmmod ${step.module}`;
}

/** @returns whether all went well with the step, as modprobe's exit status counts it */
function reportRemoval(step: RemoveStep, outcome: RemovalOutcome, run: ModprobeRun): boolean {
  const { complain, has, log, roots } = run;
  const { module } = step;
  switch (step.kind) {
    case 'not-loaded':
      if (!has('first-time')) return true;
      complain(`Module ${module} is not in kernel.`);
      return false;
    case 'builtin':
      complain(`Module ${module} is builtin.`);
      return false;
    case 'in-use':
      // A FATAL ends the run as it is printed, so what explains it comes first.
      log.explain(usersText(step));
      complain(`Module ${module} is in use.`);
      return false;
    default:
      break;
  }
  if (outcome.kind === 'refused') {
    // Not the end of the run: a softdep that stays, or the first of several names, does not keep the others.
    log.error(`could not remove '${module}': ${errnoText(outcome.errno)}`);
    log.explain(`${module}: ${removalMeaning(outcome.errno, readModuleRestrictions(roots))}`);
    const refcnt = outcome.errno === 'EAGAIN' ? (readRefcnt(roots.sys, module) ?? 0) : 0;
    if (refcnt > 0) log.explain(usersText({ module, refcnt, holders: readHolders(roots.sys, module) }));
    return false;
  }
  if (outcome.kind === 'command-failed') {
    complain(`Error running remove command for ${module}`);
    return false;
  }
  return true;
}
