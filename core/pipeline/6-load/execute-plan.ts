import { putOnDisk, type RestsOn } from '../../kernel/rests-on.ts';
import { assertNever } from '../../vocabulary/assert-never.ts';
import type { ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { Refusals } from '../5-resolve/restrict-plan.ts';
import type { LoadPlan, Step } from '../5-resolve/load-plan.ts';
import { refusalMeaning } from './errno-meaning.ts';
import { fillInstallCommand } from './install-command.ts';
import type { CommandEnd, ModuleLoader } from './module-loader.ts';
import type { Outcome } from './outcome.ts';
import { monotonicMs } from '../../vocabulary/monotonic-clock.ts';

type InsertStep = Extract<Step, { kind: 'insert' }>;
type InstallStep = Extract<Step, { kind: 'run-install' }>;

/** Modules on their way in, each with what comes of it; undefined when it was not tried. */
type Begun = ReadonlyMap<ModuleName, Promise<Outcome | undefined>>;

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
  /** Undefined when it was not tried after all: what it needs in another plan was refused. */
  readonly #inFlight = new Map<ModuleName, Promise<Outcome | undefined>>();
  /** Modules that came in by our hands: a plan that was made before may still want them. */
  readonly #came = new Set<ModuleName>();

  /**
   * @param observes true: nothing is done, each step's outcome says what would have been
   * @param clock milliseconds from any start; a replay has one that stands still, since its times would say nothing
   * @param onAct told of each step just before it changes the machine (`modprobe -v`)
   */
  constructor(
    loader: ModuleLoader,
    {
      observes,
      clock = monotonicMs,
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

  /**
   * A plan and what policy took out of it → one outcome a step, in order. After a required step has failed the rest is skipped. What
   * the plan rests on is put on disk before its first act.
   */
  async execute(plan: LoadPlan, refusals: Refusals, restsOn?: RestsOn): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    let begun: Begun = new Map();
    let stop: string | undefined;
    for (const [at, step] of plan.steps.entries()) {
      const reason = refusals.get(step.module) ?? stop;
      if (reason === undefined && !begun.has(step.module))
        begun = this.#beginTogether(plan.steps.slice(at), refusals, restsOn);
      // Beside one that was refused another may have come in.
      const outcome: Outcome =
        (await begun.get(step.module)) ??
        (reason === undefined ? await this.#take(step, restsOn) : { kind: 'skipped', module: step.module, reason });
      outcomes.push(outcome);
      if (step.required && isFailure(outcome)) stop ??= `${step.module} could not be loaded`;
    }
    return outcomes;
  }

  /**
   * The steps' first ones that can be given to the kernel in one go: each would end the plan if it failed, and coming back here in
   * between takes as long as inserting a small module. A softdep has no place among them: the module tree does not know whom it goes before.
   */
  #beginTogether(steps: readonly Step[], refusals: Refusals, restsOn: RestsOn | undefined): Begun {
    if (this.#observes || this.#onAct !== undefined || !this.#loader.canInsert) return new Map();
    const together: InsertStep[] = [];
    for (const step of steps) {
      const isReady = step.kind === 'insert' && step.required && !isSoftdep(step) && !refusals.has(step.module);
      if (!isReady || this.#inFlight.has(step.module) || this.#hasCome(step.module)) break;
      together.push(step);
    }
    if (together.length === 0) return new Map();
    return new Map(
      this.#loader.insertTogether(together, restsOn).map((insertion, n) => {
        const { module } = together[n] as InsertStep;
        const outcome = insertion.then(({ answer, tookMs }) =>
          answer === 'not-tried' ? undefined : this.#insertion(module, answer, tookMs),
        );
        return [module, this.#flying(module, outcome)];
      }),
    );
  }

  /** What others have inserted since the plan was made is not looked for: the kernel says so (EEXIST). */
  #hasCome(module: ModuleName): boolean {
    return this.#came.has(module) && this.#loader.stateOf(module) === 'live';
  }

  async #take(step: Step, restsOn: RestsOn | undefined): Promise<Outcome> {
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
        return this.#once(step.module, async () => {
          if (restsOn !== undefined) await putOnDisk(restsOn);
          return step.kind === 'insert' ? this.#insert(step) : this.#runInstall(step);
        });
      default:
        return assertNever(step);
    }
  }

  async #once(module: ModuleName, act: () => Promise<Outcome>): Promise<Outcome> {
    for (let running; (running = this.#inFlight.get(module)) !== undefined;) {
      const outcome = await running;
      if (outcome !== undefined) return outcome;
    }
    return this.#flying(module, act());
  }

  #flying<Ends extends Outcome | undefined>(module: ModuleName, outcome: Promise<Ends>): Promise<Ends> {
    const flight = outcome.finally(() => this.#inFlight.delete(module));
    this.#inFlight.set(module, flight);
    return flight;
  }

  async #insert(step: InsertStep): Promise<Outcome> {
    const { module, path, parameters } = step;
    if (this.#loader.canInsert && this.#loader.stateOf(module) === 'live') return { kind: 'already-loaded', module };
    this.#onAct?.(step);
    const startedAt = this.#clock();
    const errno = await this.#loader.insert(path, parameters);
    return this.#insertion(module, errno, this.#clock() - startedAt);
  }

  #insertion(module: ModuleName, errno: ErrnoName | undefined, tookMs: number): Outcome {
    if (errno === undefined) {
      this.#came.add(module);
      return { kind: 'inserted', module, tookMs };
    }
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

function isSoftdep({ role }: Step): boolean {
  return role === 'softdep-pre' || role === 'softdep-post';
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
