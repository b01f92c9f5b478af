import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import { LineReader } from '../ipc/line-reader.ts';
import type { Need, StopReason } from '../plugin-api/context.ts';
import type { HookFacts, PluginFacts } from './describe-plugin.ts';
import { describePlugin, isHookFacts } from './describe-plugin.ts';
import { JAIL_LINE_MAX_BYTES, SERVICES, type FromJail, type Service, type ToJail } from './jail-messages.ts';
import { jailCommand, type JailTools } from './jail-command.ts';
import { STOP_MAX_MS, type PluginEnds, type RunningPlugin } from './running-plugin.ts';
import { assertNever } from '../vocabulary/assert-never.ts';
import { messageOf, type NotStarted, type Surroundings } from './start-definition.ts';
import { monotonicMs } from '../vocabulary/monotonic-clock.ts';

/** Longest a plugin may take to be set up, in ms; a jail is up in 60. */
const START_MAX_MS = 10_000;
/** Lines a plugin may send of its own accord in one second: logs and wishes. Beyond it floods, and is ended. */
const UNASKED_MAX_PER_S = 1000;
/** Wishes of one plugin that may be under way at once. */
const ASKED_MAX = 64;
/** How often a jail is asked whether it still answers, in ms, so that one that spins while nobody calls it is found. */
const HEARTBEAT_MS = 30_000;
/** How long one that was late has to say anything at all, in ms. */
const LATE_GRACE_MS = 1000;
/** What a plugin's process may print, in bytes in all; the rest is read and dropped. */
const PRINTED_MAX_BYTES = 16_384;
/** Of a message that a plugin logs or fails with. */
const MESSAGE_MAX_CHARACTERS = 500;

/** What is run, with what it is given and may have. */
export interface JailedStart {
  readonly file: string;
  readonly extent: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly granted: readonly Need[];
}

/** Runs a plugin in a process of its own that has nothing but a channel to here. */
export async function startJailed(
  start: JailedStart,
  surroundings: Surroundings,
  ends: PluginEnds,
  tools: JailTools,
): Promise<RunningPlugin | NotStarted> {
  const jail = new Jail(start, surroundings, ends, tools);
  return jail.start(start);
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

class Jail implements RunningPlugin {
  facts: PluginFacts = { name: '', needs: [] };
  hooks: readonly HookFacts[] = [];
  isolation: RunningPlugin['isolation'] = 'jail';
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  readonly #surroundings: Surroundings;
  readonly #ends: PluginEnds;
  readonly #lines = new LineReader(JAIL_LINE_MAX_BYTES);
  readonly #waiting = new Map<number, Waiting>();
  #onStarted: ((answer: RunningPlugin | NotStarted) => void) | undefined;
  #onStopped: (() => void) | undefined;
  /** Lines it has sent. */
  #heard = 0;
  #lastId = 0;
  #asked = 0;
  #unasked = 0;
  #unaskedSinceMs = 0;
  #printed = '';
  #isOver = false;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor({ extent, granted }: JailedStart, surroundings: Surroundings, ends: PluginEnds, tools: JailTools) {
    this.#surroundings = surroundings;
    this.#ends = ends;
    const [program, ...words] = jailCommand(tools, extent, granted);
    this.#child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      cwd: '/',
      // OpenSSL would look for its configuration where nothing can be read.
      env: { OPENSSL_CONF: '/dev/null' },
    });
    this.#channel = this.#child.stdio[3] as Duplex;
    this.#child.once('error', error => this.#over(`it cannot be started: ${error.message}`));
    this.#child.once('exit', (status, signal) => this.#over(this.#endOf(status, signal)));
    this.#channel.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#channel.on('error', () => undefined); // Its end is told by `exit`.
    for (const stream of [this.#child.stdout, this.#child.stderr]) this.#keepPrinted(stream);
  }

  start({ file, settings }: JailedStart): Promise<RunningPlugin | NotStarted> {
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#end(`it was not set up within ${START_MAX_MS / 1000} s`), START_MAX_MS);
      this.#onStarted = answer => {
        clearTimeout(timer);
        this.#onStarted = undefined;
        resolve(answer);
      };
      this.#send({ kind: 'start', file, settings });
    });
  }

  get residentBytes(): number | undefined {
    return residentBytesOf(this.#child.pid);
  }

  call(hook: number, args: readonly unknown[]): Promise<unknown> {
    if (this.#isOver) return Promise.reject(new Error('its process has ended'));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ kind: 'call', id, hook, args });
    });
  }

  /** One that is only slow will say something soon; one that hangs is ended, and whoever keeps it starts it anew. */
  late(): void {
    const heard = this.#heard;
    setTimeout(() => {
      if (this.#heard === heard) this.#end('it does not answer any more');
    }, LATE_GRACE_MS).unref();
  }

  async stop(reason: StopReason): Promise<void> {
    if (this.#isOver) return;
    clearInterval(this.#heartbeat);
    const stopped = new Promise<void>(resolve => {
      this.#onStopped = resolve;
    });
    this.#send({ kind: 'stop', reason });
    const timer = setTimeout(() => this.#onStopped?.(), STOP_MAX_MS);
    await stopped;
    clearTimeout(timer);
    this.#isOver = true;
    this.#child.kill('SIGKILL');
  }

  #send(message: ToJail): void {
    if (!this.#isOver) this.#channel.write(`${JSON.stringify(message)}\n`);
  }

  #take(bytes: Buffer): void {
    const lines = this.#lines.push(bytes);
    if (lines === 'too-long') {
      this.#end(`it sent a line of more than ${JAIL_LINE_MAX_BYTES} bytes`);
      return;
    }
    for (const line of lines) {
      if (this.#isOver) return;
      this.#heard += 1;
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        message = undefined;
      }
      if (typeof message !== 'object' || message === null) {
        this.#end('what it sent is no message');
        return;
      }
      this.#heed(message as FromJail);
    }
  }

  #heed(message: FromJail): void {
    switch (message.kind) {
      case 'started':
        this.#started(message);
        return;
      case 'not-started':
        this.#onStarted?.({ wrong: cut(message.wrong) });
        this.#isOver = true;
        this.#child.kill('SIGKILL');
        return;
      case 'result': {
        const waiting = this.#waiting.get(message.id);
        if (waiting === undefined) this.#countUnasked();
        this.#waiting.delete(message.id);
        if (message.error === undefined) waiting?.resolve(message.value);
        else waiting?.reject(new Error(cut(message.error)));
        return;
      }
      case 'log':
        if (this.#countUnasked() && ['info', 'warn', 'error'].includes(message.level))
          this.#surroundings.log[message.level](cut(message.message));
        return;
      case 'ask':
        if (this.#countUnasked()) void this.#answer(message);
        return;
      case 'stopped':
        this.#onStopped?.();
        return;
      default:
        this.#end('what it sent is no message');
    }
  }

  #started({ facts, hooks }: Extract<FromJail, { kind: 'started' }>): void {
    // It was checked in there, by code that a hostile plugin can change; here it is checked by ours.
    const described = describePlugin({ ...facts, api: 1, hooks: [] });
    if ('wrong' in described || !Array.isArray(hooks) || !hooks.every(isHookFacts)) {
      this.#end('what it says of itself is no description of a plugin');
      return;
    }
    this.facts = described;
    this.hooks = hooks;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    this.#onStarted?.(this);
  }

  /** Hook -1 is none, and the answer is an error; that there is one is what counts. */
  #beat(): void {
    this.late();
    this.call(-1, []).catch(() => undefined);
  }

  async #answer({ id, service, args }: Extract<FromJail, { kind: 'ask' }>): Promise<void> {
    if (!SERVICES.includes(service) || !Array.isArray(args) || this.#asked >= ASKED_MAX) {
      this.#send({ kind: 'answer', id, error: this.#asked >= ASKED_MAX ? 'too many wishes at once' : 'no such wish' });
      return;
    }
    this.#asked += 1;
    try {
      this.#send({ kind: 'answer', id, value: await this.#serve(service, args) });
    } catch (error) {
      this.#send({ kind: 'answer', id, error: messageOf(error) });
    } finally {
      this.#asked -= 1;
    }
  }

  #serve(service: Service, [first, second]: readonly unknown[]): Promise<unknown> {
    const { store, actions, devices } = this.#surroundings;
    const text = typeof first === 'string' ? first : '';
    switch (service) {
      case 'store.get':
        return store.get(text);
      case 'store.set':
        return store.set(text, second as Parameters<typeof store.set>[1]);
      case 'store.delete':
        return store.delete(text);
      case 'store.keys':
        return store.keys();
      case 'actions.overrideDriver':
        return actions.overrideDriver(text, typeof second === 'string' ? second : undefined);
      case 'actions.unload':
        return actions.unload(text);
      case 'actions.findDrivers':
        return actions.findDrivers(text);
      case 'devices':
        return devices(typeof first === 'object' && first !== null ? first : {});
      default:
        return assertNever(service);
    }
  }

  /** Counts a line that nobody asked for → whether it is still one of few. */
  #countUnasked(): boolean {
    const nowMs = monotonicMs();
    if (nowMs - this.#unaskedSinceMs > 1000) {
      this.#unaskedSinceMs = nowMs;
      this.#unasked = 0;
    }
    this.#unasked += 1;
    if (this.#unasked > UNASKED_MAX_PER_S) this.#end(`it sent more than ${UNASKED_MAX_PER_S} lines in a second`);
    return !this.#isOver;
  }

  #keepPrinted(stream: Readable | null): void {
    stream?.on('data', (bytes: Buffer) => {
      const text = bytes.toString('utf8');
      if (text.startsWith('usher-jail: partial')) this.isolation = 'partial jail';
      if (this.#printed.length < PRINTED_MAX_BYTES)
        this.#printed += text.slice(0, PRINTED_MAX_BYTES - this.#printed.length);
    });
  }

  #endOf(status: number | null, signal: NodeJS.Signals | null): string {
    const said = this.#printed
      .split('\n')
      .map(line => line.trim())
      .find(line => line !== '' && !line.startsWith('usher-jail: partial') && !/^[#<]/.test(line));
    const how = signal === null ? `its process ended with ${status ?? 0}` : `its process was killed by ${signal}`;
    return said === undefined ? how : `${how}: ${cut(said)}`;
  }

  #end(why: string): void {
    this.#child.kill('SIGKILL');
    this.#over(why);
  }

  #over(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#heartbeat);
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
    this.#onStopped?.();
    if (this.#onStarted === undefined) this.#ends.ended(this, why);
    else this.#onStarted({ wrong: why });
  }
}

function cut(text: unknown): string {
  return String(text).slice(0, MESSAGE_MAX_CHARACTERS);
}

/** Of usher-jail's only child, which is the plugin's process. Source: proc(5), /proc/pid/task/tid/children and statm. */
function residentBytesOf(jail: number | undefined): number | undefined {
  const PAGE_BYTES = 4096;
  try {
    const child = readFileSync(`/proc/${jail}/task/${jail}/children`, 'utf8').trim();
    return Number(readFileSync(`/proc/${child}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}
