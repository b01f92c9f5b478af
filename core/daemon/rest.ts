import { compileHotCode } from '../kernel/compiling.ts';
import { keepHeapSmall, releaseMemory } from '../kernel/memory.ts';

/** How long nothing must have happened before we clean up after ourselves: storms come in waves, and cleaning up takes some 30 ms. */
const QUIET_MS = 1000;
/** The same until the first time: a start leaves 60 MB behind, and what comes next had better not be put on top of that. */
const START_QUIET_MS = 200;
/**
 * So much must V8 have taken since the last time for it to be worth while. Its collector takes along what it has learned of objects that
 * are gone, and the next event has to teach it anew, which takes longer than the event itself; a device that is plugged in takes some 2 MB.
 */
const WORTH_BYTES = 8 * 1024 * 1024;
/** As many events in that time, with half of those before, are a storm or go on for long; a device that is plugged in makes ten to forty. */
const MANY_EVENTS = 64;

/** More events than the devices of any but the largest machine have at a start. */
const START_MAX_EVENTS = 2048;

/**
 * Gives memory back once it is quiet and there is enough of it, and has code compiled only while much happens. While something happens it costs a wake-up a second, while nothing happens none at all:
 * the timer is set by what happens, and ends with the rest.
 */
export class Rest {
  /** Not before the start is over: it leaves much behind, and collecting that in between holds it up. */
  #hasStarted = false;
  #timer: NodeJS.Timeout | undefined;
  #isDisturbed = false;
  #events = 0;
  #quietMs = START_QUIET_MS;
  /** V8's heap after the last time; none before it. */
  #restingBytes = 0;

  /** Something has happened: so many events, or what is none. */
  disturb(events = 0): void {
    this.#isDisturbed = true;
    this.#events += events;
    if (this.#events >= MANY_EVENTS) compileHotCode(true);
    if (this.#events >= START_MAX_EVENTS) this.#startIsOver();
    this.#timer ??= setTimeout(() => this.#look(), this.#quietMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #startIsOver(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    keepHeapSmall();
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#events < MANY_EVENTS) compileHotCode(false);
    this.#events /= 2;
    if (this.#isDisturbed) {
      this.#isDisturbed = false;
      this.#timer = setTimeout(() => this.#look(), this.#quietMs).unref();
    } else {
      this.#quietMs = QUIET_MS;
      // However many there were: they are over.
      this.#events = 0;
      compileHotCode(false);
      this.#startIsOver();
      if (process.memoryUsage().heapTotal < this.#restingBytes + WORTH_BYTES) return;
      releaseMemory();
      this.#restingBytes = process.memoryUsage().heapTotal;
    }
  }
}
