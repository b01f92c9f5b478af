import path from 'node:path';

/** Names usher answers to as kmod's tools, by link or as its first word. */
export const TOOL_NAMES = ['lsmod', 'modinfo', 'insmod', 'modprobe', 'rmmod', 'depmod', 'kmod'] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

/** Which tool is meant, and the words behind its name. */
export interface ToolCall {
  readonly tool: ToolName;
  readonly words: readonly string[];
}

/**
 * The process's argv → the kmod tool that is called: by the name of the link usher was started through, else by its first word.
 * Undefined when it is another verb's command line.
 */
export function toolCall([, script = '', ...words]: readonly string[]): ToolCall | undefined {
  const byLink = toolName(path.basename(script));
  if (byLink !== undefined) return { tool: byLink, words };
  const byWord = toolName(words[0] ?? '');
  return byWord === undefined ? undefined : { tool: byWord, words: words.slice(1) };
}

function toolName(text: string): ToolName | undefined {
  return TOOL_NAMES.find(name => name === text);
}
