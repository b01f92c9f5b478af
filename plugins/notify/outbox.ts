import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from './message.ts';

/** Messages that wait for one sink: a storm of them says no more than its first ones, and how many there were. */
export const WAITING_MAX = 64;

/** Passes a message on; it rejects when that failed. `PermanentError`: trying again would not help. */
export type Send = (message: Message, signal: AbortSignal) => Promise<void>;

export class PermanentError extends Error {}

export interface OutboxOptions {
  readonly name: string;
  readonly send: Send;
  /** How often one message is tried again, and after how long: twice as long each time. */
  readonly retries: number;
  readonly firstPauseMs: number;
  readonly log: { warn(message: string): void };
  readonly signal: AbortSignal;
}

/** Longest pause before one is tried again, in ms. */
const PAUSE_MAX_MS = 60_000;

/** Messages on their way to one sink, one after another. Whoever puts one in does not wait. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting: Message[] = [];
  #dropped = 0;
  #isWorking = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  put(message: Message): void {
    if (this.#options.signal.aborted) return;
    if (this.#waiting.length >= WAITING_MAX) {
      if (this.#dropped === 0)
        this.#options.log.warn(`${this.#options.name}: ${WAITING_MAX} messages wait, more are dropped`);
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(message);
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    const { name, log, signal } = this.#options;
    this.#isWorking = true;
    // Not in the way of whoever puts the first one in.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next !== undefined && !signal.aborted; next = this.#waiting.shift()) {
      await this.#deliver(next);
      if (this.#waiting.length > 0 || this.#dropped === 0) continue;
      log.warn(`${name}: ${this.#dropped} messages were dropped`);
      this.#waiting.push(droppedMessage(next, this.#dropped));
      this.#dropped = 0;
    }
    this.#isWorking = false;
  }

  async #deliver(message: Message): Promise<void> {
    const { name, send, retries, firstPauseMs, log, signal } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await send(message, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const why = (error as Error).message;
        if (error instanceof PermanentError || attempt >= retries) {
          log.warn(`${name}: "${message.title}" was not passed on: ${why}`);
          return;
        }
        await pause(Math.min(firstPauseMs * 2 ** attempt, PAUSE_MAX_MS), undefined, { ref: false, signal }).catch(
          () => undefined,
        );
      }
    }
  }
}

function droppedMessage({ host }: Message, dropped: number): Message {
  const text = `${dropped} messages came faster than they could be passed on. usher history has all of it.`;
  return { occasion: 'warning', title: 'usherd: messages were dropped', text, time: new Date().toISOString(), host };
}
