import type { Seqnum } from '../../vocabulary/seqnum.ts';
import { PathClaims, type Claim } from './path-claims.ts';
import type { Uevent } from './uevent.ts';

/** Events that may wait or be handled at one time: what 128 MiB of socket buffer hold would be ten times the memory here. */
export const QUEUED_EVENTS_MAX = 65_536;
/** Events handled side by side. Each may hold a module call, of which MODULE_CALLS_AT_ONCE_MAX run; the others do quick things. */
export const EVENTS_IN_FLIGHT_MAX = 256;

export interface UeventQueueOptions<Ticket = void> {
  /** Handles one event. Undefined when it is done already, which costs nothing; else it is done when the promise is settled. */
  readonly handle: (event: Uevent, ticket: Ticket) => Promise<void> | undefined;
  /** `handle` threw or rejected, which is a bug in it. The event counts as done. */
  readonly failed: (event: Uevent, error: unknown) => void;
  readonly queuedMax?: number;
  readonly inFlightMax?: number;
}

interface Entry<Ticket> extends Claim {
  readonly event: Uevent;
  readonly ticket: Ticket;
}

/**
 * Hands events on in the order they came, side by side where that cannot matter: an event waits for an earlier unfinished one on the
 * same device, an ancestor, a descendant, where either was moved from (DEVPATH_OLD), or with the same DEVNAME.
 * A ticket goes with each event and comes back with it: what its arrival led to. Source: the rule is systemd-udevd's (udev-manager.c,
 * event_is_blocked).
 */
export class UeventQueue<Ticket = void> {
  readonly #options: Required<UeventQueueOptions<Ticket>>;
  readonly #claims = new PathClaims();
  /** Everything taken and not done, in the order it came. */
  readonly #unfinished = new Set<Entry<Ticket>>();
  /** Nothing stands in their way but the number of events in flight. */
  readonly #ready: Entry<Ticket>[] = [];
  #readyFrom = 0;
  #inFlight = 0;
  #isHandingOut = false;
  /** An event that was handed on before it was entered, since it was alone. */
  #alone: Entry<Ticket> | undefined;
  #lastSeen = 0n;
  #onSettled: (() => void)[] = [];

  constructor(options: UeventQueueOptions<Ticket>) {
    this.#options = { queuedMax: QUEUED_EVENTS_MAX, inFlightMax: EVENTS_IN_FLIGHT_MAX, ...options };
  }

  /** Events taken and not done, those in flight included. */
  get size(): number {
    return this.#unfinished.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Fulfilled when nothing is waiting and nothing in flight; at once when that is so now. */
  get settled(): Promise<void> {
    if (this.#unfinished.size === 0) return Promise.resolve();
    return new Promise(resolve => this.#onSettled.push(resolve));
  }

  /** The highest number such that every event seen here up to it is done; 0 when none was seen. */
  get lastHandledSeqnum(): bigint {
    let last = this.#lastSeen;
    for (const { event } of this.#unfinished) {
      if (event.seqnum !== undefined && event.seqnum <= last) last = event.seqnum - 1n;
    }
    return last;
  }

  /** Takes an event. False when the queue is full and it was not taken: the caller tells a loss of the kind `queue-full`. */
  push(event: Uevent, ticket: Ticket): boolean {
    const { queuedMax } = this.#options;
    if (this.#unfinished.size >= queuedMax) return false;
    this.#saw(event.seqnum);
    const entry: Entry<Ticket> = { event, ticket, dependents: [], blockers: 0, lastDependent: undefined, places: [] };
    this.#unfinished.add(entry);
    // Alone, nothing can stand in its way; and what is handled at once need not be entered anywhere.
    if (this.#unfinished.size === 1 && !this.#isHandingOut) this.#startAlone(entry);
    else {
      // The handler of the one that was alone pushes more before it returns: now the order matters.
      if (this.#alone !== undefined) this.#enter(this.#alone);
      this.#alone = undefined;
      this.#enter(entry);
      if (entry.blockers === 0) this.#ready.push(entry);
    }
    this.#handOut();
    return true;
  }

  #startAlone(entry: Entry<Ticket>): void {
    this.#alone = entry;
    this.#isHandingOut = true;
    const done = this.#start(entry);
    this.#isHandingOut = false;
    const isEntered = this.#alone === undefined;
    this.#alone = undefined;
    if (done !== undefined) {
      if (!isEntered) this.#enter(entry);
      this.#follow(entry, done);
    } else if (isEntered) this.#finish(entry);
    else this.#unfinished.delete(entry);
  }

  #enter(entry: Entry<Ticket>): void {
    this.#claims.enter(entry, pathsOf(entry.event), entry.event.env['DEVNAME']);
  }

  #saw(seqnum: Seqnum | undefined): void {
    if (seqnum !== undefined && seqnum > this.#lastSeen) this.#lastSeen = seqnum;
  }

  #handOut(): void {
    // A handler may push, and a finished event may make others ready: one loop takes them all, however deep they would nest.
    if (this.#isHandingOut) return;
    this.#isHandingOut = true;
    while (this.#readyFrom < this.#ready.length && this.#inFlight < this.#options.inFlightMax) {
      const entry = this.#ready[this.#readyFrom];
      this.#readyFrom += 1;
      if (this.#readyFrom > 1024 && this.#readyFrom * 2 > this.#ready.length) {
        this.#ready.splice(0, this.#readyFrom);
        this.#readyFrom = 0;
      }
      if (entry === undefined) continue;
      const done = this.#start(entry);
      if (done === undefined) this.#finish(entry);
      else this.#follow(entry, done);
    }
    this.#isHandingOut = false;
    if (this.#unfinished.size > 0) return;
    const waiting = this.#onSettled;
    this.#onSettled = [];
    for (const resolve of waiting) resolve();
  }

  /** Calls the handler; undefined when the event is done. */
  #start({ event, ticket }: Entry<Ticket>): Promise<void> | undefined {
    try {
      return this.#options.handle(event, ticket);
    } catch (error) {
      this.#options.failed(event, error);
      return undefined;
    }
  }

  #follow(entry: Entry<Ticket>, done: Promise<void>): void {
    this.#inFlight += 1;
    const finish = (): void => {
      this.#inFlight -= 1;
      this.#finish(entry);
      this.#handOut();
    };
    done.then(finish, (error: unknown) => {
      this.#options.failed(entry.event, error);
      finish();
    });
  }

  #finish(entry: Entry<Ticket>): void {
    this.#unfinished.delete(entry);
    this.#claims.leave(entry, entry.event.env['DEVNAME']);
    for (const dependent of entry.dependents as Entry<Ticket>[]) {
      dependent.blockers -= 1;
      if (dependent.blockers === 0) this.#ready.push(dependent);
    }
  }
}

/** Where a device is and where it was before a `move`. */
function pathsOf(event: Uevent): string[] {
  const old = event.env['DEVPATH_OLD'];
  return old === undefined || old === event.devpath ? [event.devpath] : [event.devpath, old];
}
