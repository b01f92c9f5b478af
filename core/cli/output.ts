import { terminalOf, writeSpans, type Span, type Terminal } from '../pipeline/8-report/terminal.ts';
import { toJson } from '../pipeline/8-report/json.ts';
import type { Caller } from './verb.ts';

/** How to write to the caller's standard output. */
export function terminal({ stdout, env }: Caller): Terminal {
  return terminalOf(stdout, env);
}

export function printLines({ stdout }: Caller, lines: readonly string[]): void {
  if (lines.length > 0) stdout.write(`${lines.join('\n')}\n`);
}

/** One line of styled pieces; data in them is escaped. */
export function printSpans(caller: Caller, spans: readonly Span[]): void {
  caller.stdout.write(`${writeSpans(spans, terminal(caller))}\n`);
}

/** One JSON value a line. */
export function printJson({ stdout }: Caller, value: unknown): void {
  stdout.write(`${JSON.stringify(toJson(value))}\n`);
}
