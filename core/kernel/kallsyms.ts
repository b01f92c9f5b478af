import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A line of /proc/kallsyms: address, type, name, and the module in brackets. Source: kernel/kallsyms.c, s_show. */
const LINE = /^[0-9a-f]+ . (\S+)/gm;

/** Names of all symbols the running kernel and its modules have; undefined where the kernel does not tell (CONFIG_KALLSYMS). */
export function readKernelSymbols(procRoot: string): ReadonlySet<string> | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(procRoot, 'kallsyms'), 'latin1');
  } catch {
    return undefined;
  }
  const names = new Set<string>();
  for (const [, name] of text.matchAll(LINE)) if (name !== undefined) names.add(name);
  return names.size === 0 ? undefined : names;
}
