import { releaseMemory } from '../kernel/memory.ts';

/** How long nothing must have happened before we clean up after ourselves: storms come in waves, and cleaning up takes some 30 ms. */
const QUIET_MS = 1000;

/**
 * Gives memory back once it is quiet. While something happens it costs a wake-up a second, while nothing happens none at all:
 * the timer is set by what happens, and ends with the rest.
 */
export class Rest {
  #timer: NodeJS.Timeout | undefined;
  #isDisturbed = false;

  /** Something has happened. */
  disturb(): void {
    this.#isDisturbed = true;
    this.#timer ??= setTimeout(() => this.#look(), QUIET_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#isDisturbed) {
      this.#isDisturbed = false;
      this.#timer = setTimeout(() => this.#look(), QUIET_MS).unref();
    } else {
      releaseMemory();
    }
  }
}
