import { readInitState } from '../../kernel/sys-module.ts';
import type { LoadPlan, Step } from '../../pipeline/5-resolve/load-plan.ts';
import { planLoad, type ModuleStates } from '../../pipeline/5-resolve/plan-load.ts';
import type { Refusals } from '../../pipeline/5-resolve/restrict-plan.ts';
import type { Outcome } from '../../pipeline/6-load/outcome.ts';
import { errnoText, type ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import { formatPlace } from '../../vocabulary/place.ts';
import { explainRefusal } from './explain-refusal.ts';
import { insertTargets, type InsertTarget } from './insert-target.ts';
import { joinParameters } from './join-parameters.ts';
import { isStopped, policyRefusals } from './modprobe-policy.ts';
import { notFound } from './modprobe-show.ts';
import { stepLine } from './step-line.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** modprobe without -r: every module each name stands for, one after another. The last one's end is the end of a name. */
export async function insertModules(run: ModprobeRun): Promise<number> {
  const { operands, has } = run;
  if (!has('all')) {
    const [word = '', ...rest] = operands;
    return insertByName(word, joinParameters(rest), run);
  }
  let status = 0;
  for (const word of operands) if ((await insertByName(word, '', run)) !== 0) status = 1;
  return status;
}

async function insertByName(word: string, parameters: string, run: ModprobeRun): Promise<number> {
  const targets = insertTargets(word, run);
  if (targets.length === 0) {
    run.complain(notFound(word, run));
    return 1;
  }
  let status = 0;
  for (const target of targets) status = await insertOne(target, parameters, run);
  return status;
}

async function insertOne(target: InsertTarget, parameters: string, run: ModprobeRun): Promise<number> {
  const { host, world, has, shows } = run;
  const { module, alias } = target;
  const states = statesNow(run);
  const isThere = states.get(module) === 'live' || states.get(module) === 'builtin';
  if (isThere && !has('show-depends') && !has('why')) return has('first-time') ? refuse(module, 'EEXIST', run) : 0;
  const isListed = world.config.isBlacklisted(module) !== undefined && (alias !== undefined || has('use-blacklist'));
  const plan = planLoad(module, world, {
    states,
    parameters,
    ignoreCommand: has('ignore-commands'),
    ignoreLoaded: has('show-depends'),
    keepRepeats: true,
    ...(alias === undefined ? {} : { alias }),
    ...(target.file === undefined ? {} : { file: target.file }),
  });
  if (has('why')) {
    const { explainInsertion } = await import('./explain-insertion.ts');
    await explainInsertion(target, plan, run);
    return 0;
  }
  if (isListed) return 0;
  const refusals = has('show-depends') ? new Map<ModuleName, string>() : await policyRefusals(plan, target.asked, run);
  if (isStopped(plan, refusals)) {
    if (!has('dry-run')) run.acts.failed(module, `denied: ${refusals.get(module) ?? ''}`);
    return denied(plan, refusals, run);
  }
  const line = (step: Step): void => {
    const text = shows ? stepLine(step, parameters, has('show-depends')) : undefined;
    if (text !== undefined && !has('json')) host.out(`${text}\n`);
  };
  if (has('dry-run') || has('show-depends')) {
    for (const step of plan.steps) if (!refusals.has(step.module)) line(step);
    if (has('json')) host.out(`${JSON.stringify(plan)}\n`);
    return 0;
  }
  await sayWrongParameters(plan, parameters, run);
  const outcomes = await execute(plan, refusals, line, run);
  for (const outcome of outcomes) noteInsertion(outcome, run);
  if (has('json')) host.out(`${JSON.stringify({ target: module, outcomes })}\n`);
  return report(plan, outcomes, run);
}

/** How far each module of the plan is. */
function statesNow({ world, roots }: ModprobeRun): ModuleStates {
  return { get: module => readInitState(roots.sys, module, world.tree.isBuiltin(module)) };
}

async function execute(
  plan: LoadPlan,
  refusals: Refusals,
  onAct: (step: Step) => void,
  run: ModprobeRun,
): Promise<readonly Outcome[]> {
  const { KernelLoader } = await import('../../pipeline/6-load/kernel-loader.ts');
  const { PlanExecutor } = await import('../../pipeline/6-load/execute-plan.ts');
  const { roots, world, has, commandEnv } = run;
  const loader = new KernelLoader(roots, () => world.tree, {
    force: {
      modversion: has('force') || has('force-modversion'),
      vermagic: has('force') || has('force-vermagic'),
    },
    command: { isForeground: true, env: commandEnv },
  });
  return new PlanExecutor(loader, { observes: false, onAct }).execute(plan, refusals);
}

/** Said before the kernel is asked, which decides: of the target's own words, and of what the configuration gives, with its places. */
async function sayWrongParameters({ steps }: LoadPlan, typed: string, { log }: ModprobeRun): Promise<void> {
  for (const step of steps) {
    if (step.kind !== 'insert' || step.parameters === '') continue;
    const { module, path, parameters, role, optionPlaces } = step;
    const { wrongParameters } = await import('./gather-facts.ts');
    const own = role === 'target' ? typed : '';
    const places = optionPlaces.map(formatPlace).join(', ');
    const configured = parameters.slice(0, parameters.length - own.length);
    for (const { message } of wrongParameters(path, configured)) log.explain(`${module}: ${message} (${places})`);
    for (const { message } of wrongParameters(path, own)) log.explain(`${module}: ${message}`);
  }
}

function noteInsertion(outcome: Outcome, { acts }: ModprobeRun): void {
  const { kind, module } = outcome;
  if (kind === 'inserted') acts.inserted(module);
  if (kind === 'ran') acts.ran(module);
  if (kind === 'failed') acts.failed(module, outcome.reason);
  if (kind === 'refused') acts.failed(module, `${outcome.errno}: ${outcome.meaning}`);
}

/** What policy says no to is not permitted, in the words and with the status modprobe has for what the kernel does not permit. */
function denied({ target, steps }: LoadPlan, refusals: Refusals, run: ModprobeRun): number {
  const reason = refusals.get(target) ?? '';
  const outcomes = steps.map(({ module }) => ({ kind: 'skipped', module, reason }));
  if (run.has('json')) run.host.out(`${JSON.stringify({ target, outcomes })}\n`);
  refuse(target, 'EPERM', run);
  run.log.explain(`${reason}; --override-policy REASON passes over it, and is recorded`);
  return 1;
}

/** Says what went wrong, in kmod's words, and beside them what that means. Failed softdeps are no failure of the whole. */
function report({ target, steps }: LoadPlan, outcomes: readonly Outcome[], run: ModprobeRun): number {
  const { log, has, roots, world } = run;
  for (const [i, outcome] of outcomes.entries()) {
    const step = steps[i];
    if (step === undefined) continue;
    if (outcome.kind === 'failed') {
      const command = step.kind === 'run-install' ? ` '${step.command}'` : '';
      log.error(`Error running install command${command} for module ${step.module}: ${outcome.reason}`);
    }
    if (outcome.kind === 'skipped' && step.kind === 'missing' && step.required)
      log.error(`could not find module by name='${step.module}'`);
    if (outcome.kind === 'already-loaded' && step.role === 'target' && has('first-time'))
      return refuse(target, 'EEXIST', run);
    const errno = step.required ? failureOf(outcome) : undefined;
    if (errno === undefined) continue;
    refuse(target, errno, run);
    if (outcome.kind === 'refused') {
      log.explain(`${step.module}: ${outcome.meaning}`);
      const reasons = step.kind === 'insert' ? explainRefusal(step.path, errno, { roots, tree: world.tree }) : [];
      for (const text of reasons) log.explain(`${step.module}: ${text}`);
    }
    return 1;
  }
  return 0;
}

function failureOf(outcome: Outcome): ErrnoName | undefined {
  if (outcome.kind === 'refused') return outcome.errno;
  if (outcome.kind === 'failed') return 'EINVAL';
  return outcome.kind === 'skipped' ? 'ENOENT' : undefined;
}

function refuse(module: ModuleName, errno: ErrnoName, { log }: ModprobeRun): number {
  log.error(`could not insert '${module}': ${insertErrorText(errno)}`);
  return 1;
}

/** What modprobe says of an error, which for two of them is more than strerror(3) does. */
function insertErrorText(errno: ErrnoName): string {
  if (errno === 'EEXIST') return 'Module already in kernel';
  if (errno === 'ENOENT') return 'Unknown symbol in module, or unknown parameter (see dmesg)';
  return errnoText(errno);
}
