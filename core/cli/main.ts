import { runProgram } from './program.ts';
import { VERBS } from './verbs.ts';

/** better-sqlite3 needs Node-API 10; an older Node does not say so, it crashes. */
const NODE_API_MIN = 10;

if (Number(process.versions['napi']) < NODE_API_MIN) {
  process.stderr.write(`usher: this is Node ${process.version}, usherd needs Node 22.20 or later\n`);
  process.exit(1);
}

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
// A reader that has seen enough (`usher history | head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const { stdout, stderr, env } = process;

async function main(): Promise<void> {
  process.exitCode = await runProgram(process.argv.slice(2), VERBS, {
    stdout,
    stderr,
    env,
    uid: process.getuid?.() ?? 0,
    signal: abort.signal,
  });
}

void main();
