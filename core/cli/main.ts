import { toolCall, type ToolCall } from './argv0.ts';

/** better-sqlite3 needs Node-API 10; an older Node does not say so, it crashes. */
const NODE_API_MIN = 10;

if (Number(process.versions['napi']) < NODE_API_MIN) {
  process.stderr.write(`usher: this is Node ${process.version}, usherd needs Node 22.20 or later\n`);
  process.exit(1);
}

/** A kmod tool needs neither the verbs nor their parser, and is called often: nothing else is loaded for it. */
async function runToolCall({ tool, words }: ToolCall): Promise<number> {
  const { loadTool } = await import('./kmod/tools.ts');
  const { runTool } = await import('./kmod/run-tool.ts');
  const { processHost } = await import('./kmod/process-host.ts');
  return runTool(await loadTool(tool), words, processHost());
}

async function runVerb(): Promise<number> {
  const { runProgram } = await import('./program.ts');
  const { VERBS } = await import('./verbs.ts');
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  // A reader that has seen enough (`usher history | head`) closes the pipe: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const { stdout, stderr, env } = process;
  return runProgram(process.argv.slice(2), VERBS, {
    stdout,
    stderr,
    env,
    uid: process.getuid?.() ?? 0,
    signal: abort.signal,
  });
}

async function main(): Promise<void> {
  const call = toolCall(process.argv);
  process.exitCode = await (call === undefined ? runVerb() : runToolCall(call));
}

void main();
