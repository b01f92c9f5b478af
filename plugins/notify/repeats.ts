import type { Message } from './message.ts';

/** Messages that are remembered; beyond it the oldest is forgotten, and told again at worst. */
const REMEMBERED_MAX = 512;

interface Told {
  readonly atMs: number;
  /** How often it would have been told since. */
  held: number;
}

/** Keeps the same message from being told again and again: a device with a loose plug comes back every second. */
export class Repeats {
  readonly #quietMs: number;
  readonly #told = new Map<string, Told>();

  /** `quietMs`: how long a message is not told again. */
  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  /** A message → as it is to be told now, with how often it was kept back since; undefined when it was told just now. */
  pass(message: Message, nowMs: number): Message | undefined {
    const { occasion, module = '', device, text } = message;
    const key = JSON.stringify([occasion, module, device?.devpath ?? '', text]);
    const before = this.#told.get(key);
    // A clock that was put back must not keep a message back for ever.
    if (before !== undefined && nowMs >= before.atMs && nowMs - before.atMs < this.#quietMs) {
      before.held += 1;
      return undefined;
    }
    this.#told.delete(key);
    this.#told.set(key, { atMs: nowMs, held: 0 });
    const [oldest] = this.#told.keys();
    if (this.#told.size > REMEMBERED_MAX && oldest !== undefined) this.#told.delete(oldest);
    if (before === undefined || before.held === 0) return message;
    return { ...message, text: `${text} (${before.held} more times since ${new Date(before.atMs).toISOString()})` };
  }
}
