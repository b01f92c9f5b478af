import { Worker } from 'node:worker_threads';

/** A command line that a client would have answered. */
export interface AskedAnswer {
  readonly id: number;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
  /** Of the client's terminal; absent when it writes to a file or pipe. */
  readonly columns?: number | undefined;
}

/** What it prints and ends with; without a status the client is to run it itself. */
export interface Answer {
  readonly id: number;
  readonly status?: number;
  readonly pieces?: readonly { readonly fd: 1 | 2; readonly base64: string }[];
}

/** The thread is ended when nobody asked for so long, in ms: it holds some 20 MB. */
const REST_AFTER_MS = 10 * 60_000;
/** Longest one answer may take, in ms; then the client runs the command itself, and the thread is begun anew. */
const ANSWER_MAX_MS = 10_000;
/** Questions that wait at once; a further client runs its command itself. */
const WAITING_MAX = 64;
/** Memory of the thread's objects, in MB. */
const OBJECTS_MAX_MB = 128;
const YOUNG_MAX_MB = 4;

/** Answers clients' command lines in a thread of its own, which is there only while somebody asks. */
export class AnswerDesk {
  readonly #file: URL | string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #worker: Worker | undefined;
  #rest: NodeJS.Timeout | undefined;
  #lastId = 0;

  /** `file` is what the thread runs. */
  constructor(file: URL | string) {
    this.#file = file;
  }

  async answer(asked: Omit<AskedAnswer, 'id'>): Promise<Omit<Answer, 'id'>> {
    if (this.#waiting.size >= WAITING_MAX) return {};
    const id = ++this.#lastId;
    const answered = new Promise<Answer>(resolve => {
      this.#waiting.set(id, resolve);
    });
    const timer = setTimeout(() => this.stop(), ANSWER_MAX_MS).unref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    this.#thread().postMessage({ id, ...asked } satisfies AskedAnswer);
    const answer = await answered;
    clearTimeout(timer);
    return answer;
  }

  /** Ends the thread; whoever waits is left to itself. */
  stop(): void {
    clearTimeout(this.#rest);
    void this.#worker?.terminate();
    this.#worker = undefined;
    for (const [id, resolve] of this.#waiting) resolve({ id });
    this.#waiting.clear();
  }

  #thread(): Worker {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.stop(), REST_AFTER_MS).unref();
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#file, {
      resourceLimits: { maxOldGenerationSizeMb: OBJECTS_MAX_MB, maxYoungGenerationSizeMb: YOUNG_MAX_MB },
    });
    worker.unref();
    worker.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    // It ends with an error, too: out of memory, a bug.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (worker === this.#worker) this.stop();
    });
    this.#worker = worker;
    return worker;
  }
}
