import { execFile, type ExecFileException } from 'node:child_process';

export interface Run {
  readonly words: readonly string[];
  /** What it reads from its standard input. */
  readonly input?: string;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  /** Whose process it is to be. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly signal: AbortSignal;
}

/** What a command may print; it is only shown when it fails. */
const OUTPUT_MAX_BYTES = 64 * 1024;
const COMPLAINT_MAX_CHARACTERS = 200;

/** Runs a program with these very words, through no shell. It is killed when it takes too long. Rejected with what it says when it fails. */
export function runCommand({ words, input = '', timeoutMs, env, user, signal }: Run): Promise<void> {
  const [program = '', ...args] = words;
  return new Promise((resolve, reject) => {
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_MAX_BYTES,
      env,
      signal,
      cwd: '/',
      ...user,
    } as const;
    const child = execFile(program, args, options, (error, _, stderr) => {
      if (error === null) resolve();
      else reject(new Error(complaint(program, error, stderr, timeoutMs)));
    });
    // A program that reads nothing closes its end before all is written; that is no failure of its.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function complaint(program: string, error: ExecFileException, stderr: string, timeoutMs: number): string {
  const said = stderr.trim().split('\n')[0]?.slice(0, COMPLAINT_MAX_CHARACTERS) ?? '';
  if (error.code === 'ENOENT') return `${program} is not there`;
  if (error.killed === true) return `${program} did not end within ${timeoutMs / 1000} s`;
  const how =
    typeof error.code === 'number' ? `ended with status ${error.code}` : `failed (${error.code ?? error.message})`;
  return `${program} ${how}${said === '' ? '' : `: ${said}`}`;
}
