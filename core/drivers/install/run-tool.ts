import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Longest a tool may run, in ms: apt that waits for its lock, or a module that is built on a slow machine, takes its time. */
export const TOOL_MAX_MS = 2 * 60 * 60_000;
/** Lines that are kept of a tool's output: the last ones say why it failed. */
const LINES_MAX = 2000;
const LINE_MAX_CHARS = 4096;

/** How a tool ended, and the last it said. */
export interface ToolEnd {
  readonly status: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

export interface ToolOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly maxMs?: number;
  readonly onLine?: (line: string) => void;
  /** Lines of file descriptor 3: apt's Status-Fd. */
  readonly onStatus?: (line: string) => void;
}

/** What every tool is given: a locale whose words are known, and no questions. Nothing of ours but what is needed for the network. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  HOME: '/nonexistent',
};
const PASSED_ON = ['http_proxy', 'https_proxy', 'no_proxy', 'NODE_EXTRA_CA_CERTS', 'TERM'];

/**
 * Runs a program with a list of words, never by a shell, in a process group of its own: a Ctrl-C meant for us must not end dpkg in the
 * middle. A status below 0 says that it could not be started (-1), or was ended by a signal (-2).
 */
export function runTool([program = '', ...words]: readonly string[], options: ToolOptions = {}): Promise<ToolEnd> {
  const { env = {}, maxMs = TOOL_MAX_MS, onLine, onStatus } = options;
  const passed = Object.fromEntries(
    PASSED_ON.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  return new Promise(resolve => {
    const [stdout, stderr]: [string[], string[]] = [[], []];
    const child = spawn(program, words, {
      env: { ...passed, ...ENVIRONMENT, ...env },
      stdio: ['ignore', 'pipe', 'pipe', onStatus === undefined ? 'ignore' : 'pipe'],
      detached: true,
      cwd: '/',
    });
    const keep = (into: string[]) => (line: string) => {
      const cut = line.slice(0, LINE_MAX_CHARS);
      into.push(cut);
      if (into.length > LINES_MAX) into.shift();
      onLine?.(cut);
    };
    follow(child.stdout, keep(stdout));
    follow(child.stderr, keep(stderr));
    const status = child.stdio[3] as Readable | null | undefined;
    if (onStatus !== undefined && status) follow(status, onStatus);
    const timer = setTimeout(() => killGroup(child.pid), maxMs);
    child.once('error', error => {
      clearTimeout(timer);
      resolve({ status: -1, stdout, stderr: [...stderr, `${program}: ${error.message}`] });
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== null) stderr.push(`${program} was ended by ${signal}`);
      resolve({ status: signal === null ? (code ?? -1) : -2, stdout, stderr });
    });
  });
}

function follow(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream }).on('line', onLine);
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this very moment.
  }
}
