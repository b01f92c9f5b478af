import { setTimeout as delay } from 'node:timers/promises';
import { deleteModule } from '../../kernel/module-calls.ts';
import { readRefcnt } from '../../kernel/sys-module.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { RemovePlan, RemoveStep } from '../5-resolve/plan-remove.ts';
import { fillInstallCommand } from './install-command.ts';
import type { CommandEnd } from './module-loader.ts';
import { runCommand, type CommandSetting } from './run-command.ts';
import { monotonicMs } from '../../vocabulary/monotonic-clock.ts';

/** What became of one step of a removal. */
export type RemovalOutcome =
  | { readonly kind: 'removed'; readonly module: ModuleName }
  | { readonly kind: 'ran'; readonly module: ModuleName }
  | { readonly kind: 'refused'; readonly module: ModuleName; readonly errno: ErrnoName }
  | { readonly kind: 'command-failed'; readonly module: ModuleName; readonly end: CommandEnd }
  /** Nothing to be done, or nothing that can be: the step itself says which. */
  | { readonly kind: 'none'; readonly module: ModuleName }
  | { readonly kind: 'skipped'; readonly module: ModuleName; readonly reason: string };

/** The hands of a removal: the running kernel's, or a test's. */
export interface ModuleRemover {
  remove(module: ModuleName): Promise<ErrnoName | undefined>;
  refcntOf(module: ModuleName): number | undefined;
  runCommand(command: string, module: ModuleName): Promise<CommandEnd>;
}

export interface RemovalOptions {
  /** Nothing is done (`-n`). */
  readonly isDryRun: boolean;
  /** Told of a step before it is taken, and of how it ended. It may throw to end the removal. */
  readonly onStep?: (step: RemoveStep) => void;
  readonly onOutcome?: (step: RemoveStep, outcome: RemovalOutcome) => void;
  /** How long a module that is in use is asked again, in milliseconds (`--wait`). */
  readonly waitMs?: number;
}

/** Longest pause before a module in use is asked again, in milliseconds: the pauses double from 1 up to here. */
const WAIT_PAUSE_MAX_MS = 1024;

/** Carries out a removal. Each step's outcome is told as it ends; after a required step has failed the rest is not taken. */
export async function executeRemoval(
  { steps }: RemovePlan,
  remover: ModuleRemover,
  options: RemovalOptions,
): Promise<readonly RemovalOutcome[]> {
  const outcomes: RemovalOutcome[] = [];
  const failed = new Set<ModuleName>();
  for (const step of steps) {
    const outcome = await takeStep(step, failed, remover, options);
    outcomes.push(outcome);
    options.onOutcome?.(step, outcome);
    const isOver = step.kind === 'in-use' || step.kind === 'builtin' || isFailedRemoval(outcome);
    if (isOver) failed.add(step.module);
    if (isOver && step.required) break;
  }
  return outcomes;
}

/** Whether what should have gone is still there. */
export function isFailedRemoval({ kind }: RemovalOutcome): boolean {
  return kind === 'refused' || kind === 'command-failed';
}

async function takeStep(
  step: RemoveStep,
  failed: ReadonlySet<ModuleName>,
  remover: ModuleRemover,
  options: RemovalOptions,
): Promise<RemovalOutcome> {
  const { module, after } = step;
  if (after !== undefined && failed.has(after)) return { kind: 'skipped', module, reason: `${after} is still there` };
  switch (step.kind) {
    case 'remove': {
      const isInUse = step.role === 'unused-dependency' && remover.refcntOf(module) !== 0;
      if (isInUse) return { kind: 'skipped', module, reason: 'something uses it after all' };
      options.onStep?.(step);
      if (options.isDryRun) return { kind: 'none', module };
      const errno = await removePatiently(module, remover, options.waitMs ?? 0);
      return errno === undefined ? { kind: 'removed', module } : { kind: 'refused', module, errno };
    }
    case 'run-remove': {
      options.onStep?.(step);
      if (options.isDryRun) return { kind: 'none', module };
      const end = await remover.runCommand(fillInstallCommand(step.command, ''), module);
      const isDone = end.kind === 'exited' && end.status === 0;
      return isDone ? { kind: 'ran', module } : { kind: 'command-failed', module, end };
    }
    default:
      return { kind: 'none', module };
  }
}

/** Asks again while the kernel says that it is in use, with pauses of 1, 2, 4… ms, until the time is over. */
async function removePatiently(
  module: ModuleName,
  remover: ModuleRemover,
  waitMs: number,
): Promise<ErrnoName | undefined> {
  const deadline = monotonicMs() + waitMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, WAIT_PAUSE_MAX_MS)) {
    const errno = await remover.remove(module);
    const leftMs = deadline - monotonicMs();
    if (errno !== 'EAGAIN' || leftMs <= 0) return errno;
    await delay(Math.min(pauseMs, leftMs));
  }
}

/** Removes modules from the running kernel. */
export class KernelRemover implements ModuleRemover {
  readonly #roots: SystemRoot;
  readonly #force: boolean;
  readonly #command: CommandSetting;

  constructor(roots: SystemRoot, { force, command = {} }: { force: boolean; command?: CommandSetting }) {
    this.#roots = roots;
    this.#force = force;
    this.#command = command;
  }

  /** delete_module(2), without waiting for users. */
  remove(module: ModuleName): Promise<ErrnoName | undefined> {
    return deleteModule(module, { force: this.#force });
  }

  refcntOf(module: ModuleName): number | undefined {
    return readRefcnt(this.#roots.sys, module);
  }

  runCommand(command: string, module: ModuleName): Promise<CommandEnd> {
    return runCommand(command, module, this.#command);
  }
}
