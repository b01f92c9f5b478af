import type { ToolCall } from '../argv0.ts';
import { processHost } from './process-host.ts';
import type { ToolHost } from './tool-host.ts';
import { runTool } from './run-tool.ts';
import { loadTool } from './tools.ts';

/** Runs one of kmod's tools → its exit status. It needs neither the verbs nor their parser, and is called often. */
export async function runToolCall({ tool, words }: ToolCall): Promise<number> {
  return runToolFor({ tool, words }, processHost());
}

/** Runs one of them for somebody else than this process. */
export async function runToolFor({ tool, words }: ToolCall, host: ToolHost): Promise<number> {
  return runTool(await loadTool(tool), words, host);
}
