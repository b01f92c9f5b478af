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

async function main(): Promise<void> {
  const call = toolCall(process.argv);
  if (call !== undefined) {
    process.exitCode = await runToolCall(call);
    return;
  }
  const { runVerb } = await import('./run-verb.ts');
  process.exitCode = await runVerb();
}

void main();
