import type { Need, StopReason } from '../plugin-api/context.ts';
import type { HookKind } from '../plugin-api/hooks.ts';
import type { HookFacts } from './describe-plugin.ts';
import { HookCounter, type HookStats } from './hook-stats.ts';
import type { PluginPlace } from './plugin-place.ts';
import { stopQuietly, type RunningPlugin } from './running-plugin.ts';
import { messageOf } from './start-definition.ts';
import { monotonicMs } from '../vocabulary/monotonic-clock.ts';

/** A call that brought no answer, and why. */
export class CallFailure {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** What a hook is called with; a promise where some of it has to be read first. */
type CallArgs = readonly unknown[] | Promise<readonly unknown[]>;

/** Failures within the window after which a plugin is not called any more. */
const FAILURES_MAX = 5;
const FAILURES_WINDOW_MS = 10 * 60_000;
/** Calls that nobody waits for and that wait for their turn; beyond it the newest are dropped, and that is said. */
export const MAILBOX_MAX = 1024;
/** A plugin whose process ended is started again after so long, twice as long each time, in ms. */
const RESTART_FIRST_MS = 500;
const RESTART_MAX_MS = 60_000;

export type SeatState = 'off' | 'starting' | 'running' | 'refused' | 'quarantined' | 'restarting';

/** How one plugin does, for `usher plugin list`. */
export interface PluginListing {
  readonly name: string;
  readonly origin: PluginPlace['origin'];
  readonly state: SeatState;
  /** Why it is refused, in quarantine, or restarting. */
  readonly because?: string;
  readonly file?: string;
  readonly version?: string;
  readonly summary?: string;
  readonly order: number;
  readonly needs: readonly Need[];
  readonly granted: readonly Need[];
  readonly isRequired: boolean;
  readonly hash?: string;
  readonly isolation?: RunningPlugin['isolation'];
  readonly residentBytes?: number;
  /** Calls that found the mailbox full. */
  readonly dropped: number;
  readonly hooks: readonly (HookStats & { readonly kind: HookKind; readonly onError?: 'deny' | 'abstain' })[];
}

/** What a seat tells its host. */
export interface SeatEvents {
  failed(hook: HookFacts | undefined, why: string): void;
  quarantined(why: string): void;
  /** The mailbox is full for the first time since it was empty. */
  mailboxFull(): void;
  /** The process ended, and it is time to start another. */
  restart(): void;
}

/** What a plugin was started from, and may. */
export interface SeatedFacts {
  readonly hash: string;
  readonly digests: ReadonlyMap<string, string>;
  readonly granted: readonly Need[];
}

const DEFAULT_ORDER = 50;

/** One plugin's place in the daemon: what runs there, how it does, and whether it is called at all. It outlives what runs there. */
export class PluginSeat {
  readonly place: PluginPlace;
  readonly #events: SeatEvents;
  readonly #patience: number;
  #running: RunningPlugin | undefined;
  #counters: readonly HookCounter[] = [];
  #state: SeatState = 'off';
  #because: string | undefined;
  #failuresAtMs: number[] = [];
  #mailbox: { readonly hook: number; readonly args: CallArgs }[] = [];
  #isDelivering = false;
  #isFull = false;
  #dropped = 0;
  #restarts = 0;
  #hash: string | undefined;
  #digests: ReadonlyMap<string, string> = new Map();
  #granted: readonly Need[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** What it was last started from: hash and settings; what is equal need not be started again. */
  key = '';
  isRequired = false;
  configuredOrder: number | undefined;

  /** Deadlines are `patience` times as long as the hooks say: where nobody waits, a loaded machine need not make a plugin late. */
  constructor(place: PluginPlace, events: SeatEvents, patience = 1) {
    this.place = place;
    this.#events = events;
    this.#patience = patience;
  }

  get running(): RunningPlugin | undefined {
    return this.#running;
  }

  get because(): string | undefined {
    return this.#because;
  }

  get order(): number {
    return this.configuredOrder ?? this.#running?.facts.order ?? DEFAULT_ORDER;
  }

  /** Hooks that are called; of one in quarantine they are known, and not called. */
  get hooks(): readonly HookFacts[] {
    return this.#running?.hooks ?? [];
  }

  /** Over the files of what runs here, or ran here last. */
  get hash(): string | undefined {
    return this.#hash;
  }

  get digests(): ReadonlyMap<string, string> {
    return this.#digests;
  }

  get isQuarantined(): boolean {
    return this.#state === 'quarantined';
  }

  /** A plugin sits down here; whoever sat here before is stopped by the caller. */
  seat(running: RunningPlugin, { hash, digests, granted }: SeatedFacts): RunningPlugin | undefined {
    const before = this.#running;
    this.#hash = hash;
    this.#digests = digests;
    this.#granted = granted;
    clearTimeout(this.#timer);
    this.#running = running;
    this.#counters = running.hooks.map(() => new HookCounter());
    this.#state = 'running';
    this.#because = undefined;
    this.#failuresAtMs = [];
    return before;
  }

  /** It cannot be started. What runs here already goes on. */
  refuse(why: string): void {
    this.#because = why;
    if (this.#running === undefined) this.#state = 'refused';
  }

  async clear(reason: StopReason): Promise<void> {
    clearTimeout(this.#timer);
    const running = this.#running;
    this.#running = undefined;
    this.#state = 'off';
    this.#because = undefined;
    this.#mailbox = [];
    this.key = '';
    await stopQuietly(running, reason);
  }

  /** Its process ended by itself. It is started again, unless it fails too often. */
  ended(running: RunningPlugin, why: string): void {
    if (running !== this.#running) return;
    this.#fail(undefined, why);
    if (this.isQuarantined) return;
    this.#state = 'restarting';
    this.#because = why;
    const waitMs = Math.min(RESTART_FIRST_MS * 2 ** this.#restarts, RESTART_MAX_MS);
    this.#restarts += 1;
    this.#timer = setTimeout(() => this.#events.restart(), waitMs).unref();
  }

  /** Calls a hook → what it answers, or why there is no answer; at once when it answers at once. */
  call(index: number, args: readonly unknown[]): unknown {
    const running = this.#running;
    const hook = running?.hooks[index];
    const counter = this.#counters[index];
    if (running === undefined || hook === undefined || counter === undefined || this.#state !== 'running')
      return new CallFailure(this.#because ?? 'it does not run');
    const startedAtMs = monotonicMs();
    const abort = new AbortController();
    let answer: unknown;
    try {
      answer = running.call(index, args, abort.signal);
    } catch (error) {
      counter.took(startedAtMs);
      return this.#failed(running, hook, counter, messageOf(error));
    }
    if (answer instanceof Promise) return this.#await(answer, { running, hook, counter, startedAtMs, abort });
    counter.took(startedAtMs);
    return answer;
  }

  /** Calls a hook whose answer nobody waits for, once those before it have answered. */
  deliver(hook: number, args: CallArgs): void {
    if (this.#mailbox.length >= MAILBOX_MAX) {
      this.#dropped += 1;
      if (!this.#isFull) this.#events.mailboxFull();
      this.#isFull = true;
      return;
    }
    this.#mailbox.push({ hook, args });
    if (!this.#isDelivering) void this.#deliverAll();
  }

  list(): PluginListing {
    const running = this.#running;
    const residentBytes = running?.residentBytes;
    return {
      name: this.place.name,
      origin: this.place.origin,
      state: this.#state,
      ...(this.#because === undefined ? {} : { because: this.#because }),
      ...(this.place.file === undefined ? {} : { file: this.place.file }),
      ...(running?.facts.version === undefined ? {} : { version: running.facts.version }),
      ...(running?.facts.summary === undefined ? {} : { summary: running.facts.summary }),
      order: this.order,
      needs: running?.facts.needs ?? [],
      granted: this.#granted,
      isRequired: this.isRequired,
      ...(this.#hash === undefined ? {} : { hash: this.#hash }),
      ...(running === undefined ? {} : { isolation: running.isolation }),
      ...(residentBytes === undefined ? {} : { residentBytes }),
      dropped: this.#dropped,
      hooks: this.hooks.map(({ kind, onError }, index) => {
        const { calls = 0, failures = 0, totalUs = 0, maxUs = 0 } = this.#counters[index] ?? {};
        return { kind, ...(onError === undefined ? {} : { onError }), calls, failures, totalUs, maxUs };
      }),
    };
  }

  async #deliverAll(): Promise<void> {
    this.#isDelivering = true;
    // Not in the way of the event that brings it.
    await new Promise(resolve => setImmediate(resolve));
    for (let next = this.#mailbox.shift(); next !== undefined; next = this.#mailbox.shift())
      await this.call(next.hook, await next.args);
    this.#isDelivering = false;
    this.#isFull = false;
  }

  async #await(
    answer: Promise<unknown>,
    {
      running,
      hook,
      counter,
      startedAtMs,
      abort,
    }: {
      readonly running: RunningPlugin;
      readonly hook: HookFacts;
      readonly counter: HookCounter;
      readonly startedAtMs: number;
      readonly abort: AbortController;
    },
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const deadlineMs = hook.deadlineMs * this.#patience;
    const late = new Promise<CallFailure>(resolve => {
      timer = setTimeout(() => {
        // One more turn: where this process had no time itself, the answer may have come and not been read.
        setImmediate(() => resolve(new CallFailure(`it did not answer within ${deadlineMs} ms`)));
      }, deadlineMs);
    });
    const first = await Promise.race([answer.catch((error: unknown) => new CallFailure(messageOf(error))), late]);
    clearTimeout(timer);
    counter.took(startedAtMs);
    if (!(first instanceof CallFailure)) return first;
    abort.abort();
    if (monotonicMs() - startedAtMs >= deadlineMs) running.late();
    return this.#failed(running, hook, counter, first.why);
  }

  /** An answer that is none. */
  nonsense(index: number, what: string): CallFailure {
    const [running, hook, counter] = [this.#running, this.hooks[index], this.#counters[index]];
    const why = `it answered ${what}`;
    return running === undefined || hook === undefined || counter === undefined
      ? new CallFailure(why)
      : this.#failed(running, hook, counter, why);
  }

  #failed(running: RunningPlugin, hook: HookFacts, counter: HookCounter, why: string): CallFailure {
    counter.failures += 1;
    // What ended has told so itself; each of its calls under way would count once more.
    if (running === this.#running && this.#state === 'running') this.#fail(hook, why);
    return new CallFailure(why);
  }

  #fail(hook: HookFacts | undefined, why: string): void {
    this.#events.failed(hook, why);
    const nowMs = monotonicMs();
    this.#failuresAtMs = [...this.#failuresAtMs.filter(atMs => nowMs - atMs < FAILURES_WINDOW_MS), nowMs];
    if (this.#failuresAtMs.length < FAILURES_MAX) return;
    this.#state = 'quarantined';
    this.#because = why;
    this.#events.quarantined(why);
    // Its hooks stay known: those that deny on error go on denying. What runs is ended, and may not end anything again.
    void stopQuietly(this.#running, 'removed');
  }
}
