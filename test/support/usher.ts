import { execFile } from 'node:child_process';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { callDaemon } from '../../core/ipc/client.ts';
import type { JsonObject } from '../../core/ipc/protocol.ts';
import type { Json } from '../../core/pipeline/8-report/json.ts';

const top = path.resolve(import.meta.dirname, '../..');

/** The command as people run it: built. The same from its sources takes five times as long to start. */
export const USHER = path.join(top, 'dist/usher');
refuseStale();

/** What is built must be what is tested. @throws {Error} when a source is newer than dist/usher, or that is not there */
function refuseStale(): void {
  const built = statSync(USHER, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = globSync(['core/**/*.ts', 'plugins/**/*.ts'], { cwd: top }).find(
    file => statSync(path.join(top, file)).mtimeMs > built,
  );
  if (newer !== undefined)
    throw new Error(`dist/usher is older than ${newer}: node contrib/dev/build.ts makes it anew`);
}

/** What one run of the command printed and how it ended. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `usher WORDS…`, in UTC and without colours. */
export function usher(...words: readonly string[]): Promise<Ran> {
  const env = { ...process.env, TZ: 'UTC', LANG: 'C.UTF-8', LC_ALL: '' };
  return new Promise(resolve => {
    execFile(USHER, words, { env, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ status, stdout, stderr });
    });
  });
}

/** Objects of an answer that has one JSON object a line. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what the command promises to print
export function jsonLines<Item>({ stdout }: Ran): readonly Item[] {
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Item);
}

/** A daemon of its own, with a state folder of its own. */
export interface RunningDaemon {
  readonly stateDir: string;
  readonly process: ChildProcess;
  /** Everything it printed so far. */
  readonly printed: readonly string[];
  /** Ends it as systemd would; resolves with its exit status. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Starts `usher daemon` and resolves when it listens. */
export async function startDaemon(words: readonly string[] = [], stateDir?: string): Promise<RunningDaemon> {
  const dir = stateDir ?? mkdtempSync(path.join(os.tmpdir(), 'usherd-test-'));
  const child = spawn(USHER, ['daemon', '--state-dir', dir, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed: string[] = [];
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      printed.push(line);
      if (line.startsWith('source')) ready.resolve();
    });
  }
  const exited = once(child, 'exit');
  void exited.then(() => ready.reject(new Error(`the daemon ended before it was ready:\n${printed.join('\n')}`)));
  await ready.promise;
  return {
    stateDir: dir,
    process: child,
    printed,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Asks a daemon through its socket → all its items; no process is started for it. */
export async function askDaemon(
  { stateDir }: RunningDaemon,
  verb: string,
  params: JsonObject = {},
): Promise<readonly Json[]> {
  const items: Json[] = [];
  for await (const item of callDaemon({ socketPath: path.join(stateDir, 'socket'), verb, params })) items.push(item);
  return items;
}
