import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

/** Longest a program of a rule may run, in ms: what udevd gives an event. Then its whole process group is killed. */
export const PROGRAM_MAX_MS = 180_000;
/** What is kept of a program's output, in bytes; the rest is read and dropped. Source: systemd, UDEV_LINE_SIZE. */
const OUTPUT_MAX_BYTES = 16_384;

/** How a program ended. */
export type ProgramEnd =
  | { readonly kind: 'exited'; readonly status: number; readonly stdout: string }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  | { readonly kind: 'not-started'; readonly reason: string };

/**
 * Runs a program without a shell: with these words, this environment and nothing of ours, no input, in a process group of its own. What
 * it leaves behind in that group is killed with it. What it says on standard error is dropped.
 * Source: udev(7), PROGRAM and RUN.
 */
export function runProgram(
  [program = '', ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
  { maxMs = PROGRAM_MAX_MS }: { readonly maxMs?: number } = {},
): Promise<ProgramEnd> {
  return new Promise(resolve => {
    let child: ChildProcessByStdio<null, Readable, null>;
    try {
      const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
      child = spawn(program, words, { env: { ...env }, stdio, detached: true, cwd: '/' });
    } catch (error) {
      // A word that is no argument: empty, or with a NUL in it.
      resolve({ kind: 'not-started', reason: (error as Error).message });
      return;
    }
    const pieces: Buffer[] = [];
    let size = 0;
    let isLate = false;
    child.stdout.on('data', (piece: Buffer) => {
      if (size < OUTPUT_MAX_BYTES) pieces.push(piece.subarray(0, OUTPUT_MAX_BYTES - size));
      size += piece.length;
    });
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child.pid);
    }, maxMs);
    child.once('error', error => {
      clearTimeout(timer);
      resolve({ kind: 'not-started', reason: error.message });
    });
    child.once('exit', () => killGroup(child.pid));
    // Its output is complete when it is closed, which a process it left behind could put off for ever: that one is killed above.
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      if (isLate) resolve({ kind: 'timed-out', afterMs: maxMs });
      else if (signal !== null) resolve({ kind: 'killed', signal });
      else resolve({ kind: 'exited', status: status ?? 0, stdout: Buffer.concat(pieces).toString('utf8') });
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
