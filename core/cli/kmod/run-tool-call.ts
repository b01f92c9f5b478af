import type { ToolCall } from '../argv0.ts';
import { processHost } from './process-host.ts';
import type { ParsedWords } from './getopt.ts';
import type { ToolHost } from './tool-host.ts';
import { readToolWords, runTool } from './run-tool.ts';
import { loadTool } from './tools.ts';

/** Runs one of kmod's tools → its exit status. It needs neither the verbs nor their parser, and is called often. */
export async function runToolCall({ tool, words }: ToolCall): Promise<number> {
  return runToolFor({ tool, words }, processHost());
}

/** Runs one of them for somebody else than this process. */
export async function runToolFor({ tool, words }: ToolCall, host: ToolHost): Promise<number> {
  return runTool(await loadTool(tool), words, host);
}

/** What a command line of one of them says, without running it. */
export async function readToolCall({ tool, words }: ToolCall, env: ToolHost['env']): Promise<ParsedWords> {
  return readToolWords(await loadTool(tool), words, env);
}
