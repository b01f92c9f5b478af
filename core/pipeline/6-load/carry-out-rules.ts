import path from 'node:path';
import { runProgram, type ProgramEnd } from '../../kernel/run-program.ts';
import type { SystemRoot } from '../../kernel/system-root.ts';
import { assertNever } from '../../vocabulary/assert-never.ts';
import type { Place } from '../../vocabulary/place.ts';
import type { AttributeWrite, RunEntry } from '../4-policy/rules/rule-result.ts';
import { programRequest } from '../4-policy/rules/run-tokens.ts';
import { writeAttributeAside } from './reprobe.ts';

/** Something a rule asked for that did not go well. */
export interface RuleFailure {
  readonly place: Place;
  readonly message: string;
}

type Roots = Pick<SystemRoot, 'sys' | 'proc'>;

/**
 * Writes what rules assign to ATTR{} and SYSCTL{}, in their order, each aside: some take as long as a driver does (`authorized`). Nothing
 * outside /sys and /proc/sys is ever written.
 */
export async function writeAttributes(
  attributes: readonly AttributeWrite[],
  sysctls: readonly AttributeWrite[],
  { sys, proc }: Roots,
): Promise<readonly RuleFailure[]> {
  const sysctlRoot = path.join(proc, 'sys');
  const failures: RuleFailure[] = [];
  for (const write of attributes) failures.push(...(await writeOne(write, path.normalize(write.file), sys)));
  for (const write of sysctls) failures.push(...(await writeOne(write, path.join(sysctlRoot, write.file), sysctlRoot)));
  return failures;
}

async function writeOne({ value, place }: AttributeWrite, file: string, below: string): Promise<RuleFailure[]> {
  const errno = file.startsWith(`${below}/`) ? await writeAttributeAside(file, value) : 'EPERM';
  return errno === undefined ? [] : [{ place, message: `${file} did not take "${value}": ${errno}` }];
}

/** Runs the programs of RUN one after the other, each with the device's properties as its whole environment. */
export async function runPrograms(
  run: readonly RunEntry[],
  properties: ReadonlyMap<string, string>,
): Promise<readonly RuleFailure[]> {
  const failures: RuleFailure[] = [];
  for (const { kind, command, place } of run) {
    const request = kind === 'program' ? programRequest(command, properties) : undefined;
    if (request === undefined) continue;
    const message = failureOf(await runProgram(request.words, request.env));
    if (message !== undefined) failures.push({ place, message: `"${command}" ${message}` });
  }
  return failures;
}

function failureOf(end: ProgramEnd): string | undefined {
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? undefined : `ended with status ${end.status}`;
    case 'killed':
      return `was killed by ${end.signal}`;
    case 'timed-out':
      return `was killed after ${end.afterMs} ms`;
    case 'not-started':
      return `could not be started: ${end.reason}`;
    default:
      return assertNever(end);
  }
}
