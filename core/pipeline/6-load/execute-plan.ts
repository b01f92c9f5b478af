import { assertNever } from '../../vocabulary/assert-never.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Refusals } from '../5-resolve/restrict-plan.ts';
import type { LoadPlan, Step } from '../5-resolve/load-plan.ts';
import { refusalMeaning } from './errno-meaning.ts';
import { fillInstallCommand } from './install-command.ts';
import type { CommandEnd, ModuleLoader } from './module-loader.ts';
import type { Outcome } from './outcome.ts';

type InsertStep = Extract<Step, { kind: 'insert' }>;
type InstallStep = Extract<Step, { kind: 'run-install' }>;

/** A step that changes the machine. */
export type ActingStep = InsertStep | InstallStep;

/**
 * Carries out plans: the one place that changes the machine. However many devices ask for a module at the same moment, it is
 * inserted once, and all get that one outcome.
 */
export class PlanExecutor {
  readonly #loader: ModuleLoader;
  readonly #observes: boolean;
  readonly #clock: () => number;
  readonly #onAct: ((step: ActingStep) => void) | undefined;
  readonly #inFlight = new Map<ModuleName, Promise<Outcome>>();

  /**
   * @param observes true: nothing is done, each step's outcome says what would have been
   * @param clock milliseconds from any start; a replay has one that stands still, since its times would say nothing
   * @param onAct told of each step just before it changes the machine (`modprobe -v`)
   */
  constructor(
    loader: ModuleLoader,
    {
      observes,
      clock = () => performance.now(),
      onAct,
    }: { observes: boolean; clock?: () => number; onAct?: (step: ActingStep) => void },
  ) {
    this.#loader = loader;
    this.#observes = observes;
    this.#clock = clock;
    this.#onAct = onAct;
  }

  /** Modules being inserted at this moment. */
  get inFlight(): readonly ModuleName[] {
    return [...this.#inFlight.keys()];
  }

  /** Whether carrying out the plan could change anything: an observer changes nothing, a kernel without modules takes none,
   * and some plans say that all is there already. */
  acts({ steps }: LoadPlan): boolean {
    if (this.#observes) return false;
    return steps.some(({ kind }) => kind === 'run-install' || (kind === 'insert' && this.#loader.canInsert));
  }

  /** A plan and what policy took out of it → one outcome a step, in order. After a required step has failed the rest is skipped. */
  async execute(plan: LoadPlan, refusals: Refusals): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    let stop: string | undefined;
    for (const step of plan.steps) {
      const reason = refusals.get(step.module) ?? stop;
      const outcome: Outcome =
        reason === undefined ? await this.#take(step) : { kind: 'skipped', module: step.module, reason };
      outcomes.push(outcome);
      if (step.required && isFailure(outcome)) stop ??= `${step.module} could not be loaded`;
    }
    return outcomes;
  }

  async #take(step: Step): Promise<Outcome> {
    switch (step.kind) {
      case 'loaded':
        return { kind: 'already-loaded', module: step.module };
      case 'builtin':
        return { kind: 'builtin', module: step.module };
      case 'missing':
        return { kind: 'skipped', module: step.module, reason: `the module tree has nothing called ${step.name}` };
      case 'insert':
      case 'run-install':
        if (this.#observes) return { kind: 'observed', module: step.module };
        return this.#once(step.module, () => (step.kind === 'insert' ? this.#insert(step) : this.#runInstall(step)));
      default:
        return assertNever(step);
    }
  }

  #once(module: ModuleName, act: () => Promise<Outcome>): Promise<Outcome> {
    const running = this.#inFlight.get(module);
    if (running !== undefined) return running;
    const outcome = act().finally(() => this.#inFlight.delete(module));
    this.#inFlight.set(module, outcome);
    return outcome;
  }

  async #insert(step: InsertStep): Promise<Outcome> {
    const { module, path, parameters } = step;
    if (this.#loader.canInsert && this.#loader.stateOf(module) === 'live') return { kind: 'already-loaded', module };
    this.#onAct?.(step);
    const startedAt = this.#clock();
    const errno = await this.#loader.insert(path, parameters);
    const tookMs = this.#clock() - startedAt;
    if (errno === undefined) return { kind: 'inserted', module, tookMs };
    if (errno === 'EEXIST') return { kind: 'already-loaded', module };
    return { kind: 'refused', module, errno, meaning: refusalMeaning(errno, this.#loader.restrictions()), tookMs };
  }

  async #runInstall(step: InstallStep): Promise<Outcome> {
    const { module, command, parameters } = step;
    if (this.#loader.stateOf(module) === 'live') return { kind: 'already-loaded', module };
    this.#onAct?.(step);
    const line = fillInstallCommand(command, parameters);
    const startedAt = this.#clock();
    const end = await this.#loader.runCommand(line, module);
    const tookMs = this.#clock() - startedAt;
    const reason = commandFailure(end);
    return reason === undefined
      ? { kind: 'ran', module, command: line, tookMs }
      : { kind: 'failed', module, reason, tookMs };
  }
}

/** Whether a step so ended left its module out of the kernel. */
export function isFailure({ kind }: Outcome): boolean {
  return kind === 'refused' || kind === 'failed' || kind === 'skipped';
}

function commandFailure(end: CommandEnd): string | undefined {
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? undefined : `its install command exited with status ${end.status}`;
    case 'killed':
      return `its install command was killed by ${end.signal}`;
    case 'not-started':
      return `its install command could not be started: ${end.reason}`;
    default:
      return assertNever(end);
  }
}
