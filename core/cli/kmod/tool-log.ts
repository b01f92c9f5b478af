import { ToolExit } from './tool-exit.ts';
import type { ToolHost } from './tool-host.ts';

/** Priorities of syslog(3), as far as the tools use them. */
export const Priority = { emerg: 0, critical: 2, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;

const NAMES: Readonly<Record<number, string>> = {
  2: 'FATAL',
  3: 'ERROR',
  4: 'WARNING',
  5: 'NOTICE',
  6: 'INFO',
  7: 'DEBUG',
};
/** LOG_DAEMON of syslog(3). */
const FACILITY = 3 << 3;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Sends one datagram to the system's log. */
export type SendToSyslog = (bytes: Buffer) => void;

/**
 * Messages of a tool, `PROG: PRIO: text`, on standard error or to syslog. Those above the current priority are not printed. A FATAL
 * that is printed ends the tool with status 1. Source: kmod tools/log.c, as observed.
 */
export class ToolLog {
  priority: number = Priority.error;
  /** Set: messages go there and not to standard error. */
  syslog: SendToSyslog | undefined;
  readonly #program: string;
  readonly #host: ToolHost;

  constructor(program: string, host: ToolHost) {
    this.#program = program;
    this.#host = host;
  }

  fatal(text: string): void {
    this.print(Priority.critical, text);
  }

  error(text: string): void {
    this.print(Priority.error, text);
  }

  warn(text: string): void {
    this.print(Priority.warning, text);
  }

  info(text: string): void {
    this.print(Priority.info, text);
  }

  /** @throws {ToolExit} with status 1 when it printed a FATAL */
  print(priority: number, text: string): void {
    if (priority > this.priority) return;
    const line = `${NAMES[priority] ?? 'LOG'}: ${text}`;
    if (this.syslog === undefined) this.#host.err(`${this.#program}: ${line}\n`);
    else this.syslog(Buffer.from(`<${FACILITY | priority}>${stamp(new Date())} ${this.#program}: ${line}`));
    if (priority <= Priority.critical) throw new ToolExit(1);
  }

  /** A line for a person beside kmod's own: why the kernel said no. Not printed when errors are not. */
  explain(text: string): void {
    if (this.priority < Priority.error) return;
    if (this.syslog === undefined) this.#host.err(`${this.#program}: ${text}\n`);
    else this.syslog(Buffer.from(`<${FACILITY | Priority.notice}>${stamp(new Date())} ${this.#program}: ${text}`));
  }
}

/** Local time as syslog has it: `Nov 23 04:08:00`. Source: RFC 3164, 4.1.2. */
function stamp(time: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${MONTHS[time.getMonth()] ?? ''} ${String(time.getDate()).padStart(2, ' ')} ${clock}`;
}

/** KMOD_LOG: a number, or `err`, `info`, `debug` and longer words that begin so. Undefined when it says nothing of the kind. */
export function priorityOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]+$/.test(text)) return Number(text);
  if (text.startsWith('err')) return Priority.error;
  if (text.startsWith('info')) return Priority.info;
  return text.startsWith('debug') ? Priority.debug : undefined;
}
