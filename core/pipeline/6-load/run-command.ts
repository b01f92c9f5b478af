import { spawn } from 'node:child_process';
import type { ModuleName } from '../../vocabulary/module-name.ts';
import type { CommandEnd } from './module-loader.ts';

/** Longest an install or remove command may run: what udevd gives a worker. Then its whole process group is killed. */
export const COMMAND_MAX_MS = 180_000;

/** How a command is run. */
export interface CommandSetting {
  /** It belongs to a person's terminal: it has our three standard files, gets their Ctrl-C, and may take as long as it likes. */
  readonly isForeground?: boolean;
  /** Its environment; by default ours. MODPROBE_MODULE comes to it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs an install or remove command of modprobe.d as modprobe does: by /bin/sh, with MODPROBE_MODULE set. In the background its
 * output goes to our standard error. The line comes from the administrator's files; nothing a device says is ever in it.
 * Source: modprobe.d(5).
 */
export function runCommand(
  line: string,
  module: ModuleName,
  { isForeground = false, env = process.env }: CommandSetting = {},
): Promise<CommandEnd> {
  return new Promise(resolve => {
    const child = spawn('/bin/sh', ['-c', line], {
      env: { ...env, MODPROBE_MODULE: module },
      stdio: isForeground ? 'inherit' : ['ignore', 2, 2],
      detached: !isForeground,
    });
    const timer = isForeground ? undefined : setTimeout(() => killGroup(child.pid), COMMAND_MAX_MS);
    child.once('error', error => {
      clearTimeout(timer);
      resolve({ kind: 'not-started', reason: error.message });
    });
    child.once('exit', (status, signal) => {
      clearTimeout(timer);
      resolve(signal === null ? { kind: 'exited', status: status ?? 0 } : { kind: 'killed', signal });
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this very moment.
  }
}
