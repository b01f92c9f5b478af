import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What a command took. */
export interface Timed {
  /** The middle one of the rounds, wall time. */
  readonly ms: number;
  /** The most memory the process had resident, in kibibytes. */
  readonly peakKib: number;
}

/** Runs commands in turn, so that what else the machine does meets all alike, each once before they count. By a small C program, time-spawns.c. */
export function timeCommands(commands: readonly (readonly string[])[], rounds: number): readonly Timed[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'usherd-time-spawns-'));
  const env = { ...process.env };
  delete env['NODE_EXTRA_CA_CERTS'];
  try {
    const timer = path.join(folder, 'time-spawns');
    execFileSync('cc', ['-O2', '-o', timer, path.join(import.meta.dirname, 'time-spawns.c')]);
    const words = commands.flatMap(command => ['--', ...command]);
    const lines = execFileSync(timer, [String(rounds), ...words], { encoding: 'utf8', env })
      .trim()
      .split('\n');
    return lines.map(line => {
      const [us = Number.NaN, peakKib = Number.NaN] = line.split(' ').map(Number);
      return { ms: us / 1000, peakKib };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
